#![allow(clippy::unwrap_used)]

use super::*;
use crate::{
    id::Id,
    identifiers::{fictitious_citizen_id, fictitious_uscc},
};
use time::macros::date;

fn id_number(seq: u16) -> CitizenId {
    fictitious_citizen_id("430981", date!(1968 - 05 - 17), seq).unwrap()
}

fn identifier() -> LicenceIdentifier {
    LicenceIdentifier::build(
        "11100000000013338W011",
        "114290060000000192",
        "2026112100000001",
        1,
    )
    .unwrap()
}

fn licence(holder: Holder, representative: Option<Representative>) -> Licence {
    Licence {
        id: LicenceId::make(0, 1),
        kind: "resident_id".into(),
        identifier: identifier(),
        status: Status::Valid,
        trust: TrustLevel::A,
        metadata: Metadata {
            name: "居民身份证".into(),
            type_name: "居民身份证".into(),
            type_code: identifier().type_code().into(),
            number: holder.code.clone(),
            identifier: identifier(),
            authority_name: "沅江市公安局".into(),
            authority_code: "114290060000000192".into(),
            issued: date!(2016 - 03 - 01),
            effective: Some(date!(2016 - 03 - 01)),
            expiring: Expiry::On(date!(2036 - 03 - 01)),
            holders: vec![holder],
            area_code: "430981".into(),
            copy: None,
        },
        attributes: BTreeMap::from([
            (
                "address".to_owned(),
                Pii::new("湖南省沅江市琼湖街道巴山路12号".to_owned()),
            ),
            ("secret".to_owned(), Pii::new("任意".to_owned())),
        ]),
        representative,
    }
}

fn person(seq: u16) -> Licence {
    let code = id_number(seq).to_pii();
    licence(
        Holder {
            name: Pii::new("周建国".into()),
            code,
            code_type_name: "公民身份号码".into(),
            code_type: HolderCodeType::CitizenId,
        },
        None,
    )
}

fn company(representative: Option<Representative>) -> Licence {
    let code = Pii::new(
        fictitious_uscc("91", "430981", "MA4L0001")
            .unwrap()
            .as_str()
            .to_owned(),
    );
    licence(
        Holder {
            name: Pii::new("沅江市某某理发店".into()),
            code,
            code_type_name: "统一社会信用代码".into(),
            code_type: HolderCodeType::Uscc,
        },
        representative,
    )
}

fn opens(l: &Licence, name: &str, seq: u16) -> Result<(), &'static str> {
    l.opens_to(&Person {
        name: &Pii::new(name.to_owned()),
        id_number: &id_number(seq),
    })
    .map_err(|e| e.code)
}

#[test]
fn a_person_opens_only_their_own() {
    assert_eq!(opens(&person(101), "周建国", 101), Ok(()));
    assert_eq!(
        opens(&person(101), "周建国", 103),
        Err("licence_not_holder")
    );
}

#[test]
fn a_company_opens_only_to_the_named_legal_representative() {
    let rep = |name: &str, id: Option<u16>| {
        Some(Representative {
            name: Pii::new(name.into()),
            id_number: id.map(|s| id_number(s).to_pii()),
        })
    };
    let l = company(rep("周 建国", Some(101)));
    assert_eq!(opens(&l, "周建国", 101), Ok(()));
    assert_eq!(
        opens(&l, "周建国", 103),
        Err("licence_not_legal_representative"),
        "a namesake"
    );
    assert_eq!(
        opens(&l, "周建军", 101),
        Err("licence_not_legal_representative"),
        "a number without the name"
    );
    assert_eq!(
        opens(&company(None), "周建国", 101),
        Err("licence_not_legal_representative")
    );
    assert_eq!(
        opens(&company(rep("周建国", None)), "周建国", 101),
        Err("licence_not_legal_representative")
    );
    assert_eq!(
        opens(&company(rep("", Some(101))), "", 101),
        Err("licence_not_legal_representative")
    );
    // A person's number as the code of another kind of holder opens nothing.
    let mut odd = person(101);
    odd.metadata.holders[0].code_type = HolderCodeType::Other;
    assert_eq!(opens(&odd, "周建国", 101), Err("licence_not_holder"));
}

#[test]
fn validity_has_both_ends_inclusive() {
    let l = person(101);
    let code = |d| l.usable_on(d).map_err(|e| e.code);
    assert_eq!(code(date!(2016 - 02 - 29)), Err("licence_not_yet_valid"));
    assert_eq!(code(date!(2016 - 03 - 01)), Ok(()));
    assert_eq!(code(date!(2036 - 03 - 01)), Ok(()));
    assert_eq!(code(date!(2036 - 03 - 02)), Err("licence_expired"));
    let mut forever = person(101);
    forever.metadata.expiring = Expiry::LongTerm;
    assert!(forever.usable_on(date!(2099 - 01 - 01)).is_ok());
}

#[test]
fn every_status_but_valid_refuses_by_its_own_code() {
    let mut codes = std::collections::BTreeSet::new();
    for s in Status::ALL {
        assert_eq!(Status::from_code(s.code()), Some(*s));
        let mut l = person(101);
        l.status = *s;
        match l.usable_on(date!(2026 - 11 - 21)) {
            Ok(()) => assert_eq!(*s, Status::Valid),
            Err(e) => assert!(codes.insert(e.code), "{s}"),
        }
    }
    assert_eq!(codes.len(), Status::ALL.len() - 1);
    assert_eq!(Status::from_code("08"), None);
}

#[test]
fn operations_never_revive_what_was_taken_away() {
    assert_eq!(
        Status::Suspended.after(Operation::LiftSuspension),
        Ok(Status::Valid)
    );
    assert_eq!(Status::Valid.after(Operation::Expire), Ok(Status::Lapsed));
    assert_eq!(Status::MovedOut.after(Operation::MoveIn), Ok(Status::Valid));
    for s in [Status::Revoked, Status::Cancelled, Status::Withdrawn] {
        for op in Operation::ALL {
            assert_ne!(s.after(*op).ok(), Some(Status::Valid), "{s} {op}");
        }
    }
}

#[test]
fn views_are_masked_and_debug_is_blind() {
    let l = person(101);
    let m = l.masked(|k| (k == "address").then_some(Mask::Address));
    assert_eq!(m.attributes["address"], "湖南省沅江市******");
    assert_eq!(
        m.attributes["secret"], "******",
        "an attribute nobody classified stays hidden"
    );
    assert_eq!(m.holders, ["周*国"]);
    assert!(m.number.contains("**********"));
    let (seen, json) = (format!("{l:?}"), serde_json::to_string(&m).unwrap());
    for planted in ["周建国", id_number(101).expose(), "巴山路"] {
        assert!(
            !seen.contains(planted) && !json.contains(planted),
            "{planted}"
        );
    }
    assert_eq!(company(None).masked(|_| None).holders, ["沅江市某某理发店"]);
}

#[test]
fn masks() {
    assert_eq!(Mask::Mobile.apply("13812345678"), "138****5678");
    assert_eq!(
        Mask::IdNumber.apply("429006199003071513"),
        "4290**********1513"
    );
    assert_eq!(Mask::Name.apply("李四"), "李*");
    assert_eq!(Mask::None.apply("汉族"), "汉族");
    assert_eq!(Mask::Address.apply(""), "");
}

#[test]
fn metadata_uses_the_tags_of_the_standard() {
    let l = person(101);
    let v = serde_json::to_value(&l.metadata).unwrap();
    assert_eq!(v["certificateIssuedDate"], "2016-03-01");
    assert_eq!(
        v["certificateHolders"][0]["certificateHolderTypeCode"],
        "111"
    );
    assert_eq!(v["certificateIdentifier"], identifier().to_string());
    assert_eq!(serde_json::from_value::<Metadata>(v).unwrap(), l.metadata);
    for (text, want) in [
        ("长期", Some(Expiry::LongTerm)),
        ("9999-12-31", Some(Expiry::LongTerm)),
        ("2036-3-1", None),
    ] {
        assert_eq!(Expiry::parse(text), want);
    }
    let back: Licence = serde_json::from_str(&serde_json::to_string(&l).unwrap()).unwrap();
    assert_eq!(back, l);
}

#[test]
fn a_use_has_a_cause_and_a_copy_a_watermark() {
    assert_eq!(UseCause::new(" ").unwrap_err().code, "use_cause_required");
    assert_eq!(
        UseCause::new(&"办".repeat(201)).unwrap_err().code,
        "use_cause_too_long"
    );
    let cause = UseCause::new("办理无犯罪记录证明").unwrap();
    let (zh, en) = watermark("沅江市公安局", &cause, date!(2026 - 12 - 01));
    assert_eq!(
        zh,
        "此件由沅江市公安局提供，仅供办理无犯罪记录证明使用，有效期至2026年12月1日"
    );
    assert!(en.contains("2026-12-01"));
    assert!(TrustLevel::B.usable_directly() && !TrustLevel::C.usable_directly());
}
