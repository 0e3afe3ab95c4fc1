//! Fictitious papers that tests and the `papers` example render. Names, numbers and bodies are invented.

use documents::{
    CertificateDoc, CertificateStyle, Correction, CorrectionNotice, LicenceCopyDoc, ReceiptDoc,
    ReceiptKind, ReceiptMaterial, RefusalDoc, RefusalKind, Remedies, Row, Text, TrustLevel,
};
use time::macros::{date, datetime};

const QR: &str = "https://hall.example.test/verify?c=7K2M9QX4";

pub fn receipt() -> ReceiptDoc {
    ReceiptDoc {
        kind: ReceiptKind::Accepted,
        number: "YX20261121000017".into(),
        item: Text::new(
            "公共场所卫生许可（新办）",
            "Public-place hygiene licence, new",
        ),
        applicant: "云晓县青禾理发店（赵**）".into(),
        authority: Text::new("云晓县卫生健康局", "Yunxiao County Health Commission"),
        at: datetime!(2026-11-21 02:15 UTC),
        due: Some(date!(2026 - 12 - 18)),
        promised_days: Some(5),
        hall: Text::new(
            "云晓屋·青禾村便民服务点",
            "Cloud Booth, Qinghe village service point",
        ),
        agent: "工号 0312".into(),
        materials: vec![
            material(
                "营业执照",
                "Business licence",
                "电子证照（免提交）",
                "Electronic licence",
            ),
            material(
                "公共场所卫生许可申请表",
                "Application form",
                "在线填写",
                "Filled in online",
            ),
            material(
                "经营场所平面布局图",
                "Floor plan of the premises",
                "现场拍摄",
                "Photographed",
            ),
            material(
                "卫生检测报告",
                "Hygiene test report",
                "原件扫描",
                "Scan of the original",
            ),
        ],
        next_steps: vec![
            Text::new(
                "审查人员将在承诺时限内审查材料。",
                "A reviewer examines the papers within the promised time.",
            ),
            Text::new(
                "如需补正，将一次性告知，并在进度页显示。",
                "Should anything need correction you are told once, on the progress page.",
            ),
            Text::new(
                "准予许可的，证照以电子形式送达，也可以到点自取或邮寄。",
                "If granted, the licence is delivered electronically; pick-up and mail are possible.",
            ),
        ],
        phone: "0700-5550100".into(),
        qr_url: QR.into(),
    }
}

fn material(zh: &str, en: &str, form_zh: &str, form_en: &str) -> ReceiptMaterial {
    ReceiptMaterial {
        name: Text::new(zh, en),
        form: Text::new(form_zh, form_en),
        copies: 1,
    }
}

pub fn no_record() -> CertificateDoc {
    CertificateDoc {
        style: CertificateStyle::Letter,
        title: Text::new("无犯罪记录证明", "Certificate of No Criminal Record"),
        number: "云公无罪证字〔2026〕第000123号".into(),
        licence_identifier: String::new(),
        holder: "赵小云".into(),
        paragraphs: vec![
            Text::new(
                "经查询，被查询人赵小云（性别：女，国籍：中国，证件类型：居民身份证，证件号码：11010519491231002X）自1949年12月31日起至2026年11月21日止，未发现有犯罪记录。",
                "Upon inquiry, no criminal record of ZHAO Xiaoyun (female; nationality: China; resident identity card No. 11010519491231002X) was found for the period from 31 Dec 1949 to 21 Nov 2026.",
            ),
            Text::new(
                "本证明根据申请人申请出具，用途：入职。",
                "Issued at the applicant's request; purpose: employment.",
            ),
        ],
        rows: Vec::new(),
        issuer: Text::new(
            "云晓县公安局城关派出所",
            "Chengguan Police Station, Yunxiao County",
        ),
        issued_on: date!(2026 - 11 - 21),
        valid_until: None,
        qr_url: QR.into(),
        notice: Some(Text::new(
            "查询结果只反映查询时被查询人的犯罪记录情况。",
            "The result states the record at the time of the inquiry only.",
        )),
    }
}

pub fn filing() -> CertificateDoc {
    CertificateDoc {
        style: CertificateStyle::Filing,
        title: Text::new(
            "异地就医备案回执",
            "Receipt of Off-site Medical Treatment Filing",
        ),
        number: "YB20261121000045".into(),
        licence_identifier: String::new(),
        holder: "钱多多".into(),
        paragraphs: vec![Text::new(
            "备案生效后，可在备案就医地已开通的定点医药机构凭医保电子凭证或社会保障卡直接结算，执行就医地支付范围和参保地支付政策。",
            "From the day of effect, expenses are settled directly at designated institutions of the place of treatment.",
        )],
        rows: vec![
            Row::new("证件号码", "Identity number", "4209**********0015"),
            Row::new("险种", "Insurance", "城乡居民基本医疗保险"),
            Row::new("参保地", "Insured at", "湖北省云晓县"),
            Row::new("备案类型", "Kind of filing", "异地长期居住人员"),
            Row::new("就医地", "Place of treatment", "湖北省武汉市"),
            Row::new("联系电话", "Telephone", "138****0001"),
            Row::new("生效日期", "Effective from", "2026年11月21日"),
        ],
        issuer: Text::new(
            "云晓县医疗保障局",
            "Yunxiao County Healthcare Security Bureau",
        ),
        issued_on: date!(2026 - 11 - 21),
        valid_until: Some(date!(2027 - 11 - 20)),
        qr_url: QR.into(),
        notice: None,
    }
}

pub fn hygiene() -> CertificateDoc {
    CertificateDoc {
        style: CertificateStyle::Licence,
        title: Text::new("公共场所卫生许可证", "Public-place Hygiene Licence"),
        number: "云卫公证字〔2026〕第0042号".into(),
        licence_identifier:
            "1.2.156.3005.2.11100000000013338W011.114290060000000192.2026112100000001.001.R".into(),
        holder: "云晓县青禾理发店".into(),
        paragraphs: Vec::new(),
        rows: vec![
            Row::new(
                "统一社会信用代码",
                "Unified social credit code",
                "91350100M000100Y43",
            ),
            Row::new("法定代表人（负责人）", "Legal representative", "赵小云"),
            Row::new("地址", "Address", "湖北省云晓县城关镇青禾路12号一层"),
            Row::new("经营项目", "Scope", "理发店、美容店"),
        ],
        issuer: Text::new("云晓县卫生健康局", "Yunxiao County Health Commission"),
        issued_on: date!(2026 - 11 - 21),
        valid_until: Some(date!(2030 - 11 - 20)),
        qr_url: QR.into(),
        notice: Some(Text::new(
            "卫生许可证每两年复核一次。",
            "The licence is reviewed every two years.",
        )),
    }
}

pub fn copy() -> LicenceCopyDoc {
    LicenceCopyDoc {
        title: Text::new("营业执照", "Business Licence"),
        number: "91350100M000100Y43".into(),
        licence_identifier:
            "1.2.156.3005.2.11100000000013338W011.114290060000000192.2026112100000001.001.R".into(),
        trust: TrustLevel::A,
        rows: vec![
            Row::new("名称", "Name", "云晓县青禾理发店"),
            Row::new(
                "统一社会信用代码",
                "Unified social credit code",
                "91350100M000100Y43",
            ),
            Row::new("法定代表人", "Legal representative", "赵小云"),
            Row::new("住所", "Domicile", "湖北省云晓县城关镇青禾路12号一层"),
        ],
        provider: "云晓县市场监督管理局".into(),
        purpose: "办理公共场所卫生许可".into(),
        case_number: "YX20261121000017".into(),
        valid_until: date!(2026 - 12 - 31),
        copied_at: datetime!(2026-11-21 02:12 UTC),
        qr_url: QR.into(),
    }
}

pub fn refusal() -> RefusalDoc {
    RefusalDoc {
        kind: RefusalKind::Refused,
        number: "云卫不许决字〔2026〕第7号".into(),
        case_number: "YX20261121000017".into(),
        applicant: "云晓县青禾理发店".into(),
        item: Text::new(
            "公共场所卫生许可（新办）",
            "Public-place hygiene licence, new",
        ),
        applied_at: datetime!(2026-11-21 02:15 UTC),
        reasons: vec![
            Text::new(
                "卫生检测报告显示，经营场所空气中二氧化碳含量不符合《公共场所卫生指标及限值要求》。",
                "The test report shows carbon dioxide above the limit.",
            ),
            Text::new(
                "未设置公共用品用具清洗消毒间。",
                "There is no room for washing and disinfecting utensils.",
            ),
        ],
        legal_basis: vec![
            "《公共场所卫生管理条例》第四条".into(),
            "《中华人民共和国行政许可法》第三十八条第二款".into(),
        ],
        remedies: Remedies {
            review_body: Text::new(
                "云晓县人民政府",
                "the People's Government of Yunxiao County",
            ),
            review_days: 60,
            court: Text::new("云晓县人民法院", "the People's Court of Yunxiao County"),
            suit_months: 6,
        },
        authority: Text::new("云晓县卫生健康局", "Yunxiao County Health Commission"),
        decided_on: date!(2026 - 12 - 10),
        phone: "0700-5550100".into(),
        qr_url: QR.into(),
    }
}

pub fn correction() -> CorrectionNotice {
    CorrectionNotice {
        number: "云卫补告〔2026〕第31号".into(),
        case_number: "YX20261121000017".into(),
        applicant: "云晓县青禾理发店".into(),
        item: Text::new(
            "公共场所卫生许可（新办）",
            "Public-place hygiene licence, new",
        ),
        received_at: datetime!(2026-11-21 02:15 UTC),
        corrections: vec![
            Correction {
                subject: Text::new("卫生检测报告", "Hygiene test report"),
                problem: Text::new(
                    "报告出具日期已超过一年。",
                    "The report is more than a year old.",
                ),
                remedy: Text::new(
                    "提交一年内由具备资质的机构出具的检测报告。",
                    "Hand in a report of the last year.",
                ),
            },
            Correction {
                subject: Text::new("经营场所平面布局图", "Floor plan"),
                problem: Text::new("未标注消毒间位置。", "The disinfection room is not marked."),
                remedy: Text::new(
                    "重新标注并拍摄上传。",
                    "Mark it and photograph the plan again.",
                ),
            },
        ],
        deadline: Some(date!(2026 - 12 - 11)),
        authority: Text::new("云晓县卫生健康局", "Yunxiao County Health Commission"),
        given_on: date!(2026 - 11 - 24),
        agent: "工号 0312".into(),
        phone: "0700-5550100".into(),
        qr_url: QR.into(),
    }
}
