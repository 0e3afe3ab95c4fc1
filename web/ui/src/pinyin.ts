/** Pinyin to characters for the kiosk's pad: surnames, given names, places, trades and everyday words. A small table of our own;
 * a character that it lacks can be read out to the staff member, who types it. */
const TABLE = `a 阿啊 ai 爱艾哀矮 an 安案岸按 ao 奥敖傲 ba 八巴把爸吧霸 bai 白百柏摆拜 ban 办班半板版般伴 bang 帮邦榜棒 bao 包保宝报鲍抱暴
bei 北贝备背杯倍被 ben 本奔 beng 崩 bi 比必毕笔币闭碧璧 bian 边变便卞编遍 biao 表标彪 bie 别 bin 宾斌彬滨 bing 兵冰丙病炳并秉
bo 波博伯播柏薄 bu 不步部布补卜 cai 才采财菜蔡材彩 can 参残餐灿 cang 仓苍藏 cao 曹草操 ce 册测策侧 cen 岑 ceng 曾层 cha 查茶差察
chai 柴拆 chan 产缠单 chang 长常昌场厂畅唱 chao 超朝潮晁 che 车彻 chen 陈晨沉臣辰尘 cheng 城成程承诚称乘澄 chi 池迟持尺赤 chong 重冲崇充
chou 抽丑仇 chu 出处初楚储除 chuan 川传船 chuang 窗创床 chun 春纯淳 ci 词次慈此磁 cong 从丛聪 cui 崔翠催 cun 村存 cuo 错措 da 大达打答
dai 代带戴待袋贷 dan 单但丹担旦淡 dang 当党档 dao 到道刀岛导 de 的得德 deng 邓等灯登 di 地第弟迪狄底帝 dian 点店电典殿 diao 刁调吊
die 爹蝶 ding 丁定订顶鼎 dong 东冬董动栋 dou 窦斗豆 du 杜度都独读毒 duan 段短端断 dui 对队兑 dun 顿敦 duo 多朵夺 e 额鹅峨 en 恩
er 二儿尔耳 fa 法发罚 fan 范樊反饭凡 fang 方房芳防放访 fei 飞费非肥菲 fen 分份芬粉奋 feng 冯风丰封峰凤 fo 佛 fu 付府福富夫父妇服副符傅
gai 改该盖 gan 甘干感赣 gang 刚港岗钢 gao 高告 ge 个各哥葛格歌革 gei 给 gen 根跟 geng 耿更庚 gong 工公供宫龚功共 gou 购狗沟苟 gu 古顾谷故固
gua 挂瓜 guai 怪 guan 关管官馆观冠 guang 光广 gui 贵桂归规 gun 滚 guo 国郭果过 ha 哈 hai 海还孩亥 han 韩汉寒含翰 hang 航杭行 hao 好号郝浩豪
he 和何河贺合核荷赫 hei 黑 hen 很恨 heng 恒横衡亨 hong 红洪宏虹鸿 hou 侯后候厚 hu 胡湖户护虎互 hua 华花化画话 huai 怀淮坏 huan 环还换欢
huang 黄皇煌荒 hui 会回惠辉慧汇 hun 婚混 huo 火或活霍货 ji 机及季吉纪急记计基籍集济寄 jia 家加甲贾佳嘉 jian 建见间简健监检件 jiang 江姜蒋讲将
jiao 交教焦角娇 jie 街节姐洁杰结接解介 jin 金今进近晋锦尽 jing 经京静警井景晶精 jiong 炯 jiu 九就酒旧久 ju 居局举巨具菊 juan 娟卷捐 jue 决觉
jun 军君俊均 ka 卡 kai 开凯 kan 看刊阚 kang 康抗 kao 考靠 ke 可科克客柯 ken 肯 keng 坑 kong 孔空 kou 口扣 ku 库苦 kua 跨 kuai 快块 kuan 宽款
kuang 矿匡况 kui 奎葵 kun 坤昆困 kuo 扩阔 la 拉 lai 来赖莱 lan 兰蓝览 lang 郎浪朗 lao 老劳 le 乐了 lei 雷类累 leng 冷 li 李里力理立利丽黎历礼
lian 连联练莲廉 liang 梁良两亮量 liao 廖料 lie 列烈 lin 林临琳邻麟 ling 令领零玲凌灵 liu 刘六流留柳 long 龙隆 lou 楼娄 lu 路陆卢鲁录绿露
lü 吕律旅绿 lv 吕律旅绿 luan 栾 lun 论伦 luo 罗洛落骆 ma 马吗妈麻 mai 买卖麦 man 满曼慢 mang 忙 mao 毛茂 mei 没美每梅妹 men 门们 meng 孟梦蒙
mi 米密 mian 面免棉 miao 苗妙庙 min 民敏闵 ming 明名命 mo 莫末墨 mou 某牟 mu 木母目牧穆 na 那娜 nai 乃奶 nan 南男难 ne 呢 nei 内 neng 能
ni 你尼倪 nian 年念 niang 娘 nie 聂 ning 宁 niu 牛 nong 农 nu 努 nü 女 nv 女 nuan 暖 nuo 诺 ou 欧区 pan 潘盘 pang 庞旁 pei 裴培配陪 peng 彭朋鹏
pi 皮批 pian 片 piao 票 pin 品聘 ping 平萍评 po 坡破 pu 普蒲浦 qi 七起期齐其气戚企 qia 恰 qian 前千钱签迁 qiang 强墙 qiao 乔桥 qie 且
qin 秦琴勤亲 qing 清情请青庆 qiong 琼 qiu 秋邱丘求 qu 去区取曲 quan 全权泉 que 缺确 qun 群 ran 然冉 rang 让 ren 人任仁认 ri 日 rong 荣容融
rou 肉 ru 如入茹 ruan 阮软 rui 瑞锐 ruo 若 sa 萨 san 三 sang 桑 sao 扫 se 色 sen 森 sha 沙厦 shan 山单珊善 shang 上尚商 shao 少邵 she 社设佘
shen 身申沈深神审慎 sheng 生省胜盛圣 shi 是市事十时师石史施世式 shou 手收首受寿 shu 书数树舒术 shua 刷 shuang 双霜 shui 水税 shun 顺舜
shuo 说 si 四司思斯 song 宋送松 sou 搜 su 苏素速 suan 算 sui 岁隋随 sun 孙 suo 所索 ta 他她塔 tai 台太泰 tan 谭谈坛 tang 唐汤堂 tao 陶桃涛
te 特 teng 滕腾 ti 体题提 tian 天田甜填 tiao 条 tie 铁 ting 廷庭婷停 tong 同通童桐 tou 头投 tu 图土涂 tuan 团 tui 退 tuo 托 wa 瓦 wai 外
wan 万完湾晚 wang 王网汪旺望 wei 位为伟卫魏韦未维 wen 文问温闻 weng 翁 wo 我 wu 五吴无武伍务物 xi 西系喜希习席 xia 下夏霞 xian 县先现线贤
xiang 乡向湘想相项祥 xiao 小校萧肖晓 xie 谢写解协 xin 新心信辛欣 xing 姓性行星兴邢 xiong 熊雄 xiu 修秀 xu 许徐需续 xuan 选宣轩 xue 学雪薛
xun 寻荀训 ya 亚雅 yan 严言颜燕验岩 yang 杨阳洋样 yao 要姚药 ye 叶业也夜 yi 一以易医益亿意 yin 尹因银印 ying 应英营影 yong 用永勇 you 有又友尤
yu 于余玉雨鱼与宇俞沅 yuan 元沅院袁园原源 yue 月岳越 yun 云运芸 za 杂 zai 在再 zan 赞 zang 臧 zao 早造 ze 则泽 zen 怎 zeng 曾增 zha 查扎
zhai 翟宅 zhan 站展占詹 zhang 张章长 zhao 赵照找 zhe 这者 zhen 真镇珍甄 zheng 正证政郑 zhi 之只知支志直 zhong 中重钟众 zhou 周州洲 zhu 朱住主祝竹
zhua 抓 zhuan 专转 zhuang 庄装 zhun 准 zhuo 卓 zi 子自资字 zong 总宗 zou 邹走 zu 组祖 zui 最 zuan 钻 zun 尊 zuo 作左坐做`;

const WORDS = `shenfenzheng 身份证 hukou 户口 hukoubu 户口簿 zhengming 证明 gongan 公安 yibao 医保 weisheng 卫生 yingyezhizhao 营业执照 xukezheng 许可证
yuanjiang 沅江 yiyang 益阳 hunan 湖南 changsha 长沙 beijing 北京 shanghai 上海 guangzhou 广州 shenzhen 深圳 shequ 社区 jiedao 街道 xiaoqu 小区
beian 备案 jiuyi 就医 yidi 异地 lvguan 旅馆 binguan 宾馆 meirong 美容 lifadian 理发店 gongsi 公司 gongzuo 工作 jiuye 就业 chuguo 出国 liuxue 留学
rencai 人才 banshi 办事 yuyue 预约 chaxun 查询 sheng 省 shi 市 xian 县 xiang 乡 zhen 镇 cun 村 lu 路 hao 号 dong 栋 shi 室 danyuan 单元`;

function parse(text: string): Map<string, string[]> {
  const entries = new Map<string, string[]>();
  const tokens = text.trim().split(/\s+/);
  for (let at = 0; at + 1 < tokens.length; at += 2) {
    const key = tokens[at] ?? "";
    entries.set(key, [...(entries.get(key) ?? []), tokens[at + 1] ?? ""]);
  }
  return entries;
}

const syllables = new Map([...parse(TABLE)].map(([key, rows]) => [key, Array.from(new Set(rows.join("")))] as const));
const words = parse(WORDS);
const CANDIDATES_MAX = 60;

/** Words first, then the characters of exactly this syllable, then those of syllables that begin with it. `v` stands for ü. */
export function candidates(letters: string): string[] {
  const typed = letters.toLowerCase().replace(/ü/g, "v");
  if (!/^[a-z]+$/.test(typed)) return [];
  const found = [...(words.get(typed) ?? []), ...(syllables.get(typed) ?? [])];
  for (const [key, list] of words) if (key !== typed && typed.length >= 3 && key.startsWith(typed)) found.push(...list);
  for (const [key, list] of syllables) if (key !== typed && key.startsWith(typed)) found.push(...list);
  return Array.from(new Set(found)).slice(0, CANDIDATES_MAX);
}
