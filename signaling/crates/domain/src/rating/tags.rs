//! The national rating tags (全国一体化政务服务平台). Chinese texts are official and not to be changed or added to; the
//! English ones are this project's.

use super::Level::{
    self, Dissatisfied, FairlySatisfied, Satisfied, VeryDissatisfied, VerySatisfied,
};
use serde::Serialize;

/// Stored beside each rating, so that old tags keep their meaning when the set changes.
pub const TAGS_VERSION: &str = "2020";

/// One tag; its first digit is the star level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Tag {
    pub code: u16,
    pub level: Level,
    pub zh: &'static str,
    pub en: &'static str,
}

const fn t(code: u16, level: Level, zh: &'static str, en: &'static str) -> Tag {
    Tag {
        code,
        level,
        zh,
        en,
    }
}

/// The tag of a code.
#[must_use]
pub fn tag(code: u16) -> Option<&'static Tag> {
    TAGS.iter().find(|t| t.code == code)
}

/// All tags, best level first.
pub const TAGS: &[Tag] = &[
    t(
        510,
        VerySatisfied,
        "一窗受理一次办结",
        "One window, done in one go",
    ),
    t(
        511,
        VerySatisfied,
        "可以先受理后补材料",
        "Accepted first, papers later",
    ),
    t(
        512,
        VerySatisfied,
        "不用提交证明",
        "No certificates asked for",
    ),
    t(
        513,
        VerySatisfied,
        "可以全程网上办理",
        "Can be done wholly online",
    ),
    t(
        514,
        VerySatisfied,
        "可以使用手机办理",
        "Can be done on a phone",
    ),
    t(515, VerySatisfied, "可以就近办理", "Can be done nearby"),
    t(
        516,
        VerySatisfied,
        "无需材料直接办理",
        "Done without any papers",
    ),
    t(
        517,
        VerySatisfied,
        "服务热情效率高",
        "Warm and efficient service",
    ),
    t(
        406,
        Satisfied,
        "填写一张表单就可完成申报",
        "One form was enough",
    ),
    t(
        407,
        Satisfied,
        "在线提交材料窗口核验",
        "Papers sent online, checked at the window",
    ),
    t(
        408,
        Satisfied,
        "一张清单告知全部申报材料",
        "One list named all papers",
    ),
    t(
        409,
        Satisfied,
        "用告知承诺减免申报材料",
        "A promise replaced papers",
    ),
    t(410, Satisfied, "可以在线预约办理", "Can be booked online"),
    t(411, Satisfied, "跑大厅一次办完", "Done in one visit"),
    t(
        412,
        Satisfied,
        "可以使用自助机办理",
        "Can be done at a self-service machine",
    ),
    t(413, Satisfied, "服务态度较好", "Friendly service"),
    t(
        307,
        FairlySatisfied,
        "一次性告知需要补正的材料",
        "Told at once all that was missing",
    ),
    t(
        308,
        FairlySatisfied,
        "提供申报材料样本",
        "Sample papers were given",
    ),
    t(
        309,
        FairlySatisfied,
        "在承诺的时间内办结",
        "Done within the promised time",
    ),
    t(
        310,
        FairlySatisfied,
        "办事指南指引准确",
        "The guide was accurate",
    ),
    t(
        311,
        FairlySatisfied,
        "按办事指南要求的材料即可办理",
        "Only the papers in the guide were needed",
    ),
    t(
        312,
        FairlySatisfied,
        "可以快递送达",
        "Can be delivered by courier",
    ),
    t(
        313,
        FairlySatisfied,
        "跑动次数与承诺的一致",
        "As many visits as promised",
    ),
    t(314, FairlySatisfied, "服务态度一般", "Service was ordinary"),
    t(207, Dissatisfied, "没有提供材料样本", "No sample papers"),
    t(208, Dissatisfied, "没有提供材料清单", "No list of papers"),
    t(
        209,
        Dissatisfied,
        "未在承诺时间内办结",
        "Not done within the promised time",
    ),
    t(
        210,
        Dissatisfied,
        "同样内容的证明材料被要求多次提交",
        "The same proof was asked for several times",
    ),
    t(
        211,
        Dissatisfied,
        "承诺网办但无法在线办理",
        "Promised online, but it did not work online",
    ),
    t(
        212,
        Dissatisfied,
        "在线预约办理后到实体大厅重复取号排队",
        "Had to queue again despite an online booking",
    ),
    t(
        213,
        Dissatisfied,
        "窗口人员业务不熟练",
        "Staff did not know the work well",
    ),
    t(214, Dissatisfied, "服务态度生硬", "Service was curt"),
    t(
        108,
        VeryDissatisfied,
        "在办事指南之外增加新的审批条件",
        "Conditions beyond the guide were added",
    ),
    t(
        109,
        VeryDissatisfied,
        "需提供办事指南之外的申报材料",
        "Papers beyond the guide were asked for",
    ),
    t(
        110,
        VeryDissatisfied,
        "无理由超过法定办理时间",
        "Over the legal time without a reason",
    ),
    t(
        111,
        VeryDissatisfied,
        "办事指南提供样本有错",
        "The guide's samples were wrong",
    ),
    t(
        112,
        VeryDissatisfied,
        "承诺在线收取申报材料实际无法收取",
        "Promised to take papers online, but could not",
    ),
    t(
        113,
        VeryDissatisfied,
        "多头跑窗口和部门",
        "Sent from window to window",
    ),
    t(
        114,
        VeryDissatisfied,
        "跑动次数与承诺的不一致",
        "More visits than promised",
    ),
    t(
        115,
        VeryDissatisfied,
        "服务态度差效率低",
        "Rude and slow service",
    ),
];
