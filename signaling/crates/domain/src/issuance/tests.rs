#![allow(clippy::unwrap_used)]

use super::*;
use crate::id::Id;
use time::macros::date;

fn issuer() -> StaffId {
    StaffId::make(0, 3)
}
fn rendered() -> Rendered {
    Rendered {
        sm3: "0f".repeat(32),
        bytes: 13_000,
    }
}
fn t(s: i64) -> Timestamp {
    Timestamp::from_millis(s * 1000)
}
fn begin(i: Issuance, at: i64) -> Result<(Issuance, Vec<IssueEffect>), Rejected> {
    i.apply(t(at), IssueCmd::Begin { issuer: issuer() })
}

#[test]
fn numbers_round_trip() {
    let n = CertificateNumber::build("沅公证字", 2026, 12).unwrap();
    assert_eq!(n.to_string(), "沅公证字〔2026〕第000012号");
    assert_eq!(CertificateNumber::parse(&n.to_string()), Ok(n));
    for bad in [
        "沅公证字〔2026〕第12号",
        "沅公证字[2026]第000012号",
        "〔2026〕第000012号",
        "沅1字〔2026〕第000012号",
        "沅公证字〔2026〕第000000号",
        "沅公证字〔+2026〕第000012号",
        "",
    ] {
        assert_eq!(
            CertificateNumber::parse(bad).unwrap_err().code,
            "certificate_number_format",
            "{bad}"
        );
    }
}

#[test]
fn licence_identifier_is_the_fictitious_vector() {
    let id = licence_identifier(
        "11100000000013338W011",
        "114290060000000192",
        date!(2026 - 11 - 21),
        1,
    )
    .unwrap();
    assert_eq!(
        id.to_string(),
        "1.2.156.3005.2.11100000000013338W011.114290060000000192.2026112100000001.001.R"
    );
    assert!(licence_serial(date!(2026 - 11 - 21), 0).is_err());
    assert!(licence_serial(date!(2026 - 11 - 21), 100_000_000).is_err());
}

#[test]
fn the_straight_road() {
    let (i, out) = begin(Issuance::default(), 0).unwrap();
    assert_eq!(out, [IssueEffect::Render]);
    let early = i.clone().apply(
        t(1),
        IssueCmd::Finish {
            certificate: CertificateId::make(0, 1),
        },
    );
    assert_eq!(early.unwrap_err().code, "not_rendered");
    let (i, out) = i.apply(t(1), IssueCmd::Rendered(rendered())).unwrap();
    assert_eq!(out, [IssueEffect::Register(rendered())]);
    let (i, out) = i
        .apply(
            t(2),
            IssueCmd::Finish {
                certificate: CertificateId::make(0, 1),
            },
        )
        .unwrap();
    assert_eq!(
        (i.state, out),
        (
            IssueState::Issued,
            vec![IssueEffect::Issued(CertificateId::make(0, 1))]
        )
    );
    for cmd in [
        IssueCmd::Begin { issuer: issuer() },
        IssueCmd::Rendered(rendered()),
        IssueCmd::Fail { code: "x".into() },
        IssueCmd::Finish {
            certificate: CertificateId::make(0, 2),
        },
    ] {
        assert_eq!(
            i.clone().apply(t(3), cmd).unwrap_err().code,
            "illegal_transition"
        );
    }
}

#[test]
fn failure_goes_back_and_sweeps_the_file() {
    let (i, _) = begin(Issuance::default(), 0).unwrap();
    let (i, _) = i.apply(t(1), IssueCmd::Rendered(rendered())).unwrap();
    let (i, out) = i
        .apply(
            t(2),
            IssueCmd::Fail {
                code: "seal_unavailable".into(),
            },
        )
        .unwrap();
    assert_eq!(
        (i.state, i.certificate.clone(), i.last_failure.as_deref()),
        (IssueState::Granted, None, Some("seal_unavailable"))
    );
    assert_eq!(out, [IssueEffect::Failed, IssueEffect::Sweep(rendered())]);
    let (i, _) = begin(i, 3).unwrap();
    assert_eq!((i.state, i.attempts), (IssueState::Issuing, 2));
}

#[test]
fn a_dead_attempt_is_taken_over_and_attempts_end() {
    let (mut i, _) = begin(Issuance::default(), 0).unwrap();
    assert_eq!(
        begin(i.clone(), 119).unwrap_err().code,
        "issuing_in_progress"
    );
    for n in 1..ATTEMPTS_MAX {
        (i, _) = begin(i, 120 * i64::from(n)).unwrap();
    }
    assert_eq!(begin(i, 1_000_000).unwrap_err().code, "issuing_attempts");
}

#[test]
fn a_digest_has_its_shape() {
    let (i, _) = begin(Issuance::default(), 0).unwrap();
    for bad in [
        Rendered {
            sm3: "0F".repeat(32),
            bytes: 1,
        },
        Rendered {
            sm3: "0f".into(),
            bytes: 1,
        },
        Rendered {
            bytes: 0,
            ..rendered()
        },
    ] {
        assert_eq!(
            i.clone()
                .apply(t(1), IssueCmd::Rendered(bad))
                .unwrap_err()
                .code,
            "digest_format"
        );
    }
}

#[test]
fn verification_tells_the_worst_news() {
    let today = date!(2026 - 11 - 21);
    let good = Registered {
        sm3: "0f".repeat(32),
        signature_ok: true,
        revoked: false,
        superseded: false,
        valid_until: Some(today),
    };
    let same = Some("0F".repeat(32));
    let say = |r: &Registered, f: Option<&str>| verify(Some(r), f, today);
    assert_eq!(verify(None, same.as_deref(), today), Verification::Unknown);
    assert_eq!(say(&good, None), Verification::Valid);
    assert_eq!(say(&good, same.as_deref()), Verification::Valid);
    assert_eq!(say(&good, Some("00")), Verification::Altered);
    let revoked = Registered {
        revoked: true,
        superseded: true,
        ..good.clone()
    };
    assert_eq!(say(&revoked, None), Verification::Revoked);
    assert_eq!(say(&revoked, Some("00")), Verification::Altered);
    assert_eq!(
        say(
            &Registered {
                superseded: true,
                ..good.clone()
            },
            None
        ),
        Verification::Reissued
    );
    assert_eq!(
        say(
            &Registered {
                signature_ok: false,
                ..good.clone()
            },
            None
        ),
        Verification::Altered
    );
    assert_eq!(
        say(
            &Registered {
                valid_until: Some(date!(2026 - 11 - 20)),
                ..good
            },
            None
        ),
        Verification::Expired
    );
}
