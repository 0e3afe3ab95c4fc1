//! What tests stand on: a hall, people, and one citizen's way from visit to case. Everything is numbered; the same number
//! always makes the same id, so tests name objects instead of carrying them.

use domain::{
    case::State as CaseState,
    consent::State as ConsentState,
    id::{HallId, Id},
    licence::{HolderCodeType, Status, TrustLevel},
    session::Role,
    ticket::{Class, State as TicketState},
    time::{Span, Timestamp},
};
use store::{
    StoreError, Tx, case, consent, form, hall, keys, licence, pairing, seat, session, signature,
    staff, ticket, visit,
};

/// 2026-11-21 10:00 in Beijing.
pub const T0: Timestamp = Timestamp::from_millis(1_795_226_400_000);

/// Seconds after [`T0`].
pub fn at(seconds: i64) -> Timestamp {
    T0 + Span::seconds(seconds)
}

/// The n-th id of its noun; ids of one noun sort by n.
pub fn id<T: Id>(n: i64) -> T {
    T::make(T0.millis() + n, 0)
}

pub fn hall_id() -> HallId {
    id(1)
}

pub fn the_hall() -> hall::Hall {
    hall::Hall {
        id: hall_id(),
        name_zh: "沅江市政务服务中心".into(),
        name_en: "Yuanjiang Government Service Centre".into(),
        opens: "09:00".into(),
        closes: "17:00".into(),
        telephone: "0737-0000000".into(),
        address_zh: "琼湖街道".into(),
        address_en: "Qionghu".into(),
    }
}

pub async fn a_hall(tx: &mut Tx) -> Result<(), StoreError> {
    hall::upsert(tx, &the_hall()).await
}

pub fn a_staff(n: i64) -> staff::Staff {
    staff::Staff {
        id: id(n),
        account: format!("account-{n}"),
        name: format!("工作人员{n}"),
        number_index: format!("person-{n}"),
        password_hash: "$argon2id$test".into(),
        totp_enc: None,
        roles: vec!["agent".into()],
        hall_id: hall_id(),
        department: Some("health".into()),
        skills: [("general", 3)].into_iter().collect(),
        active: true,
        failures: 0,
        locked_until: None,
    }
}

pub async fn a_visit(tx: &mut Tx, n: i64) -> Result<(), StoreError> {
    keys::insert(tx, &id(n), vec![1; 40], T0).await?;
    let v = visit::Visit {
        id: id(n),
        channel: "phone".into(),
        hall_id: hall_id(),
        booth_id: None,
        language: "zh".into(),
        elder: false,
        key_id: id(n),
        identity_enc: None,
        citizen_index: None,
        identified_in: None,
        card_nonce: Some(format!("nonce-{n}")),
        ended: false,
        created_at: T0,
    };
    visit::insert(tx, &v).await
}

pub fn the_ticket(n: i64) -> ticket::Ticket {
    ticket::Ticket {
        id: id(n),
        hall_id: hall_id(),
        visit_id: id(n),
        number: format!("A{n:03}"),
        skill: "general".into(),
        item: None,
        needs: vec!["sign_language".into()],
        channel: "phone".into(),
        state: TicketState::Waiting,
        version: 1,
        class: Class::Normal,
        enqueued_at: at(n),
        demand: "general:1".into(),
        stage_at: None,
        order_at: at(n).micros(),
        overflow_hall: None,
        language: None,
        mode: domain::ladder::Mode::Video,
        holder: None,
        grace_until: None,
        session_id: None,
        next_ticket: None,
        reason: None,
        estimate_low: Some(60),
        estimate_high: Some(180),
        paired_at: None,
    }
}

pub fn the_pairing(n: i64) -> pairing::Pairing {
    pairing::Pairing {
        id: id(n),
        hall_id: hall_id(),
        ticket_id: id(n),
        seat_id: id(n),
        visit_id: id(n),
        state: domain::pairing::State::Offered,
        offered_at: at(n),
        due_at: at(n + 30),
    }
}

pub fn the_session(n: i64) -> session::Session {
    session::Session {
        id: id(n),
        hall_id: hall_id(),
        ticket_id: id(n),
        visit_id: id(n),
        pairing_id: id(n),
        seat_id: id(n),
        staff_id: id(n),
        key_id: id(n),
        state: domain::session::State::Connecting,
        end_reason: None,
        seq: 0,
        version: 1,
        started_at: at(n),
        ended_at: None,
        due_at: Some(at(n + 120)),
        item: Some("permit".into()),
        item_version: None,
        case_id: None,
        wrap_up: None,
        parked: false,
        ladder: domain::ladder::Ladder::default(),
    }
}

/// Staff n at seat n serves visit n with ticket n by pairing n in session n.
pub async fn a_session(tx: &mut Tx, n: i64) -> Result<(), StoreError> {
    a_hall(tx).await?;
    staff::upsert(tx, &a_staff(n)).await?;
    seat::upsert(tx, &id(n), &hall_id(), "一号", "One", T0).await?;
    a_visit(tx, n).await?;
    ticket::insert(tx, &the_ticket(n)).await?;
    pairing::insert(tx, &the_pairing(n)).await?;
    session::insert(tx, &the_session(n)).await
}

pub fn the_member(n: i64, role: Role) -> session::Member {
    session::Member {
        id: id(n),
        session_id: id(1),
        role,
        staff_id: (role == Role::Agent).then(|| id(1)),
        visit_id: (role == Role::Citizen).then(|| id(1)),
        name: String::new(),
        present: false,
        mic_on: true,
        camera_on: false,
        joined_at: None,
        left_at: None,
        holder: None,
        dropped_at: None,
        part: match role {
            Role::Citizen => domain::invite::Member::Citizen,
            Role::Agent => domain::invite::Member::Agent,
            Role::Guest => domain::invite::Member::Guest,
            Role::Supervisor => domain::invite::Member::Supervisor,
        },
        served: role == Role::Agent,
        name_enc: None,
    }
}

pub const TYPE: &str = "11100000000013338W011";

pub async fn a_licence_type(tx: &mut Tx) -> Result<(), StoreError> {
    let t = licence::LicenceType {
        code: TYPE.into(),
        name_zh: "居民身份证".into(),
        name_en: "Resident identity card".into(),
        doc: "{}".into(),
    };
    licence::upsert_type(tx, &t).await
}

pub fn the_licence(n: i64) -> licence::Licence {
    licence::Licence {
        id: id(n),
        identifier: format!("1.2.156.3005.2.{TYPE}.{n}"),
        type_code: TYPE.into(),
        version: 1,
        holder_type: HolderCodeType::CitizenId,
        holder_index: "citizen-1".into(),
        legal_rep_index: None,
        status: Status::Valid,
        trust: TrustLevel::A,
        issued_on: "2020-01-01".into(),
        valid_until: None,
        key_id: id(900),
        data_enc: vec![9, 9],
        case_id: None,
        created_at: T0,
    }
}

/// Asked in session n.
pub fn the_consent(n: i64) -> consent::Consent {
    consent::Consent {
        id: id(n),
        session_id: id(n),
        visit_id: id(n),
        licence_type: TYPE.into(),
        company: None,
        item: "permit".into(),
        fields: vec!["name".into(), "address".into()],
        purpose: "prefill".into(),
        policy_version: "2026-11".into(),
        state: ConsentState::Asked,
        asked_by: id(n),
        asked_at: T0,
        decided_at: None,
        used_at: None,
        expires_at: None,
        outcome: None,
    }
}

pub fn the_access(n: i64, consent: i64, seconds: i64) -> licence::Access {
    licence::Access {
        id: format!("acc-{n}"),
        licence_id: id(1),
        consent_id: id(consent),
        session_id: id(1),
        case_id: None,
        visit_id: id(1),
        actor: "mem".into(),
        purpose: "公共场所卫生许可证".into(),
        fields: vec!["name".into()],
        at: at(seconds),
        signature: "sig".into(),
    }
}

pub fn the_form(n: i64) -> form::Form {
    form::Form {
        id: id(n),
        item: "permit".into(),
        item_version: 1,
        key_id: id(n),
        doc_enc: vec![1, 2, 3],
        version: 1,
        updated_at: T0,
    }
}

/// Asked in session n.
pub fn the_signature(n: i64) -> signature::Signature {
    signature::Signature {
        id: id(n),
        session_id: id(n),
        case_id: None,
        key_id: id(n),
        state: "asked".into(),
        digest: "d".repeat(64),
        language: "zh".into(),
        declaration_zh: "以上内容属实。".into(),
        declaration_en: "All of this is true.".into(),
        canonical_enc: vec![4, 5],
        strokes_enc: None,
        image_enc: None,
        asked_at: T0,
        signed_at: None,
    }
}

pub fn the_case(n: i64) -> case::Case {
    case::Case {
        id: id(n),
        number: format!("43098120261121{n:06}"),
        session_id: id(n),
        visit_id: id(n),
        key_id: id(n),
        hall_id: hall_id(),
        department: "health".into(),
        item: "permit".into(),
        item_version: 1,
        form_id: id(n),
        signature_id: id(n),
        state: CaseState::Accepted,
        version: 1,
        machine: "{}".into(),
        applicant_enc: vec![7],
        applicant_index: "citizen-1".into(),
        received_at: at(n),
        accepted_at: Some(at(n)),
        due_on: Some("2026-12-18".into()),
        claimed_by: None,
        corrected: false,
        correction_enc: None,
        correction_due: None,
        decision_enc: None,
    }
}

/// Session n with its form, a signature and a case.
pub async fn a_case(tx: &mut Tx, c: &case::Case, n: i64) -> Result<(), StoreError> {
    a_session(tx, n).await?;
    form::insert(tx, &the_form(n)).await?;
    signature::insert(tx, &the_signature(n)).await?;
    case::insert(tx, c).await
}
