//! Code tables of the item document: GB/T 39046-2020 Annex A, the 实施清单 columns and our own kinds.
//!
//! Owns names and codes alone. The code is the text in documents and in the database.

use serde::{Deserialize, Serialize};

/// An enum that is kept and sent as a fixed code.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $code)] $variant,)+ }
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }
            #[must_use]
            pub fn parse(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// 事项类型, GB/T 39046-2020 Annex A.
    ItemKind {
        /// 行政许可
        Permit = "01",
        /// 行政处罚
        Penalty = "02",
        /// 行政强制
        Enforcement = "03",
        /// 行政征收
        Levy = "04",
        /// 行政给付
        Benefit = "05",
        /// 行政检查
        Inspection = "06",
        /// 行政确认
        Confirmation = "07",
        /// 行政奖励
        Award = "08",
        /// 行政裁决
        Ruling = "09",
        /// 其他行政权力
        Other = "10",
        /// 公共服务
        PublicService = "20",
    }
}
codes! {
    /// 行使层级, GB/T 39046-2020 Annex A; also the 19th digit of the 实施编码.
    Level {
        National = "1",
        Province = "2",
        City = "3",
        County = "4",
        Township = "5",
        Village = "6",
        Graded = "7",
    }
}
codes! {
    /// 服务对象, GB/T 39046-2020 Annex A.
    ServiceObject {
        NaturalPerson = "1",
        Enterprise = "2",
        PublicInstitution = "3",
        SocialOrganisation = "4",
        AdministrativeOrgan = "5",
        Other = "6",
    }
}
codes! {
    /// 办件类型, GB/T 39046-2020 Annex A.
    Handling {
        /// 即办件: done on the spot.
        Immediate = "1",
        /// 承诺件: done within the promised working days.
        Promised = "2",
        Other = "9",
    }
}
codes! {
    /// 办理形式, GB/T 39046-2020 Annex A.
    Channel {
        Window = "1",
        Computer = "2",
        Mobile = "3",
        Courier = "4",
        Other = "9",
    }
}
codes! {
    /// 材料必要性 (is_need).
    Necessity {
        /// 必要
        Required = "1",
        /// 非必要
        Optional = "2",
        /// 容缺后补
        Deferrable = "3",
    }
}
codes! {
    /// 材料来源渠道 (source_type).
    MaterialSource {
        /// 申请人自备
        Applicant = "10",
        /// 政府部门核发
        Government = "20",
        Other = "99",
    }
}
codes! {
    /// What a field holds. `integer` and `boolean` are JSON numbers and booleans, all others JSON strings.
    FieldType {
        Text = "text",
        /// A person's or company's name; rare characters welcome.
        Name = "name",
        /// 公民身份号码, GB 11643
        IdNumber = "id_number",
        /// 统一社会信用代码, GB 32100
        Uscc = "uscc",
        /// Mainland mobile number.
        Mobile = "mobile",
        /// `YYYY-MM-DD`
        Date = "date",
        /// One code of `options`.
        Select = "select",
        Multiline = "multiline",
        Integer = "integer",
        Boolean = "boolean",
        Address = "address",
        /// 行政区划代码, six digits (GB/T 2260).
        Region = "region",
    }
}
codes! {
    /// How a sensitive value is shown to those who are not entitled to read it (interface.md §4).
    Mask {
        None = "none",
        IdNumber = "id_number",
        Mobile = "mobile",
        Name = "name",
        Address = "address",
    }
}
codes! {
    /// Who may write a field.
    WhoFills {
        Any = "any",
        CitizenOnly = "citizen_only",
    }
}
codes! {
    /// What a reviewer's opinion template leads to.
    Outcome {
        Grant = "grant",
        Refuse = "refuse",
    }
}
