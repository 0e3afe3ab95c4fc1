//! The case from the hand-off to the verified and rated result, through the use cases, on SQLite in a temporary directory.

// A test has a stack of its own.
#![allow(clippy::unwrap_used, clippy::large_futures)]

#[path = "pipeline/later.rs"]
mod later;
#[path = "pipeline/watching.rs"]
mod watching;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    case::Duty,
    id::{
        BoothId, CaseId, ConsentId, HallId, Id as _, PairingId, SeatId, SessionId, StaffId, VisitId,
    },
    time::{Span, Timestamp},
};
use protocol::{
    AskCorrection, Bilingual, CardRead, CaseState, CaseView, Channel, CommandReply,
    CorrectionPoint, DeviceKey, FieldValue, FormView, Grant, Language, OpenSeat, OpenVisit, Rate,
    Refuse, ReplyCorrection, Role, TakeTicket, Verify, VerifyOutcome,
};
use serde_json::json;
use signaling::{
    app::{
        App, Caller, audit_log, auth, call_flow, cases, consents, desk, forms, handoff, handover,
        issue, materials, papers, queue, ratings, session_view, signing, token::Principal, verify,
    },
    config::Config,
    demo,
    problem::AppError,
    serve,
};
use std::{
    io::Cursor,
    sync::atomic::{AtomicU32, Ordering},
};
use store::StoreError;
use tempfile::TempDir;

const ID_CARD: &str = "11100000000013338W011";
const BUSINESS: &str = "1110000000001420XC001";
const HEALTH: &str = "111000000000164085002";
const LAKEVIEW: &str = "91430981MA4QDM017G";
const RESULT: &str = "11100000000013338W032";
const NAME: &str = "刘洋";
const NUMBER: &str = "430981199802279647";

static KEYS: AtomicU32 = AtomicU32::new(0);

fn by(who: &Principal) -> Caller {
    Caller {
        who: who.clone(),
        key: Some(format!("k{}", KEYS.fetch_add(1, Ordering::Relaxed))),
        language: Language::Zh,
    }
}

fn staff(account: &str, roles: &[Role]) -> Principal {
    Principal::Staff {
        id: demo::stable::<StaffId>("staff", account),
        roles: roles.to_vec(),
        hall: demo::stable("hall", "yuanjiang"),
        department: None,
    }
}

fn code<T>(r: Result<T, AppError>) -> String {
    r.err().expect("a refusal").code().to_owned()
}

fn both(zh: &str) -> Bilingual {
    Bilingual {
        zh: zh.into(),
        en: "In English".into(),
    }
}

/// A session of a citizen with a card and of agent2, who is a reviewer of the department as well.
struct Call {
    app: App,
    dir: TempDir,
    citizen: Principal,
    agent: Principal,
    id: SessionId,
}

async fn call() -> Call {
    call_of(
        NAME,
        NUMBER,
        staff("agent2", &[Role::Agent, Role::Reviewer]),
    )
    .await
}

async fn call_of(name: &str, number: &str, agent: Principal) -> Call {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().to_owned(),
        ..Config::default()
    };
    let app = serve::build(&config, false).await.unwrap();
    demo::load(&app, dir.path()).await.unwrap();
    // Started again: the calendar that came with the county is read at start.
    let app = serve::build(&config, false).await.unwrap();
    let hall: HallId = demo::stable("hall", "yuanjiang");
    let booth = Principal::Booth {
        id: demo::stable::<BoothId>("booth", "booth-1"),
        hall: hall.clone(),
    };
    let open = OpenVisit {
        channel: Channel::Booth,
        hall: hall.to_string(),
        language: Language::Zh,
        elder: false,
    };
    let token = auth::open_visit(&app, Some(&booth), open).await.unwrap();
    let visit = VisitId::parse(&token.visit.id).unwrap();
    let citizen = Principal::Citizen {
        visit: visit.clone(),
    };
    let read = swipe(
        &dir,
        token.visit.card_nonce.as_deref().unwrap(),
        name,
        number,
    );
    auth::identify_visit(&app, &by(&citizen), visit, read)
        .await
        .unwrap();
    queue::take(
        &app,
        &by(&citizen),
        TakeTicket {
            item: None,
            needs: vec![],
            priority: false,
            mode: protocol::TicketMode::Video,
        },
    )
    .await
    .unwrap();
    let Principal::Staff { id: agent_id, .. } = agent.clone() else {
        panic!("an agent is staff")
    };
    let seat: SeatId = demo::stable("seat", "seat-1");
    desk::open(
        &app,
        &by(&agent),
        seat.clone(),
        OpenSeat {
            skills: vec!["general".into()],
            take_over: false,
            auto_answer: false,
            text: false,
        },
    )
    .await
    .unwrap();
    // A seat is offered tickets once a page holds it.
    desk::hold(&app, &agent_id, seat.clone(), "c2")
        .await
        .unwrap();
    let view = desk::view(&app, seat).await.unwrap();
    let accepted = desk::accept(
        &app,
        &by(&agent),
        PairingId::parse(&view.offer.unwrap().pairing).unwrap(),
    )
    .await
    .unwrap();
    let id = SessionId::parse(&accepted.session).unwrap();
    for (who, connection) in [(&citizen, "c1"), (&agent, "c2")] {
        call_flow::join(&app, who, id.clone(), connection, 0)
            .await
            .unwrap();
    }
    Call {
        app,
        dir,
        citizen,
        agent,
        id,
    }
}

fn swipe(dir: &TempDir, nonce: &str, name: &str, number: &str) -> CardRead {
    let key = DeviceKey::from_secret(
        &std::fs::read_to_string(dir.path().join("booths/booth-1.key")).unwrap(),
    )
    .unwrap();
    let booth = demo::stable::<BoothId>("booth", "booth-1").to_string();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    let read_at = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap()).rfc3339();
    let signature = key.sign(&protocol::card_read_bytes(
        nonce, name, number, &read_at, &booth,
    ));
    CardRead {
        nonce: nonce.into(),
        name: name.into(),
        number: number.into(),
        read_at,
        booth,
        signature,
    }
}

impl Call {
    async fn form(&self) -> FormView {
        forms::view(&self.app, &self.citizen, self.id.clone())
            .await
            .unwrap()
            .unwrap()
    }
    async fn consent(&self, kind: &str, company: Option<&str>) {
        let asked = consents::ask(
            &self.app,
            &by(&self.agent),
            self.id.clone(),
            kind.into(),
            company.map(str::to_owned),
        )
        .await
        .unwrap();
        let CommandReply::Consent { consent } = asked else {
            panic!("{asked:?}")
        };
        consents::answer(
            &self.app,
            &by(&self.citizen),
            self.id.clone(),
            ConsentId::parse(&consent).unwrap(),
            true,
        )
        .await
        .unwrap();
    }
    async fn set(&self, who: &Principal, path: &str, value: serde_json::Value) {
        forms::set(&self.app, &by(who), self.id.clone(), path.into(), 0, value)
            .await
            .unwrap();
    }
    async fn confirm(&self) {
        let form = self.form().await;
        for f in form
            .groups
            .iter()
            .flat_map(|g| &g.fields)
            .filter(|f| f.visible && f.confirm_single && !f.value.is_null())
        {
            forms::confirm_field(
                &self.app,
                &by(&self.citizen),
                self.id.clone(),
                f.path.clone(),
                f.version,
            )
            .await
            .unwrap();
        }
        for g in form.groups.iter().filter(|g| {
            g.fields
                .iter()
                .any(|f| f.visible && !f.confirm_single && !f.value.is_null())
        }) {
            forms::confirm(
                &self.app,
                &by(&self.citizen),
                self.id.clone(),
                g.id.clone(),
                form.version,
            )
            .await
            .unwrap();
        }
    }
    /// Form opened, prefilled, filled and confirmed; the signature is missing.
    async fn fill(&self) {
        forms::open(
            &self.app,
            &by(&self.agent),
            self.id.clone(),
            "no-criminal-record".into(),
        )
        .await
        .unwrap();
        self.consent(ID_CARD, None).await;
        let typed = [
            (&self.agent, "purpose.kind", "employment"),
            (&self.agent, "purpose.recipient", "沅江市第一中学"),
            (&self.agent, "period.kind", "all"),
            (&self.agent, "contact.mobile", "13800000005"),
            (&self.agent, "contact.delivery", "electronic"),
            (&self.citizen, "statement.pending_case", "no"),
        ];
        for (who, path, value) in typed {
            self.set(who, path, json!(value)).await;
        }
        self.confirm().await;
    }
    /// The same for a hotel: everything but the proof of its premises, which may follow later (容缺).
    async fn fill_hotel(&self) {
        forms::open(
            &self.app,
            &by(&self.agent),
            self.id.clone(),
            "hygiene-licence".into(),
        )
        .await
        .unwrap();
        self.consent(BUSINESS, Some(LAKEVIEW)).await;
        self.consent(ID_CARD, None).await;
        self.consent(HEALTH, None).await;
        let typed = [
            ("contact.mobile", json!("13800000008")),
            ("apply.kind", json!("new")),
            ("place.name", json!("湖景宾馆")),
            ("place.kind", json!("hotel")),
            ("place.area", json!(1200)),
            ("place.rooms", json!(48)),
            ("place.air", json!("split")),
            ("place.water", json!("municipal")),
            ("staff.count", json!(1)),
            ("staff.certified", json!(1)),
            ("staff.hygiene_manager", json!("陈志远")),
        ];
        for (path, value) in typed {
            self.set(&self.agent, path, value).await;
        }
        self.set(&self.citizen, "statement.false_promise", json!("no"))
            .await;
        materials::add(
            &self.app,
            &by(&self.citizen),
            self.id.clone(),
            "place-photo".into(),
            picture(),
        )
        .await
        .unwrap();
        self.confirm().await;
    }
    async fn sign(&self) {
        signing::ask(&self.app, &by(&self.agent), self.id.clone())
            .await
            .unwrap();
        let pad = session_view::get(&self.app, &self.citizen, self.id.clone())
            .await
            .unwrap()
            .sign
            .unwrap();
        let png = picture();
        let strokes = vec![vec![[10, 10, 0], [90, 60, 30], [160, 20, 80]]];
        signing::sign(
            &self.app,
            &by(&self.citizen),
            self.id.clone(),
            pad.digest,
            strokes,
            STANDARD.encode(png),
        )
        .await
        .unwrap();
    }
    async fn hand_off(&self) -> Result<CaseView, AppError> {
        handoff::hand_off(&self.app, &by(&self.agent), self.id.clone())
            .await
            .map(|h| h.case)
    }
    async fn get(&self, who: &Principal, case: &CaseId) -> CaseView {
        cases::get(&self.app, who, case.clone()).await.unwrap()
    }
}

fn picture() -> Vec<u8> {
    let mut png = Vec::new();
    image::GrayImage::new(300, 120)
        .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    png
}

/// Filled, signed and handed in.
async fn handed_in() -> (Call, CaseId, CaseView) {
    let c = call().await;
    c.fill().await;
    c.sign().await;
    let view = c.hand_off().await.unwrap();
    (c, CaseId::parse(&view.card.id).unwrap(), view)
}

async fn duty(
    app: &App,
    case: &CaseId,
    account: &str,
    index_of: &str,
    duty: Duty,
) -> Result<bool, AppError> {
    let (case, who, other) = (
        case.clone(),
        demo::stable::<StaffId>("staff", account),
        demo::stable::<StaffId>("staff", index_of),
    );
    app.write("test", move |tx, w| {
        let (case, who, other) = (case.clone(), who.clone(), other.clone());
        Box::pin(async move {
            let number_index = store::staff::get(tx, &other).await?.unwrap().number_index;
            Ok(store::case::add_duty(
                tx,
                &case,
                &store::case::DutyRow {
                    duty,
                    staff_id: who,
                    number_index,
                    at: w.now,
                },
            )
            .await?)
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_handed_in_once_whole_and_frozen() {
    let c = call().await;
    assert_eq!(code(c.hand_off().await), "form_not_ready");
    c.fill().await;
    assert_eq!(code(c.hand_off().await), "signature_required");
    assert_eq!(
        code(handover::make(&c.app, &by(&c.citizen), c.id.clone()).await),
        "no_case"
    );
    c.sign().await;
    assert_eq!(
        code(handoff::hand_off(&c.app, &by(&c.citizen), c.id.clone()).await),
        "agent_only"
    );
    let caller = by(&c.agent);
    let view = handoff::hand_off(&c.app, &caller, c.id.clone())
        .await
        .unwrap()
        .case;
    let again = handoff::hand_off(&c.app, &caller, c.id.clone())
        .await
        .unwrap()
        .case;
    assert_eq!(view.card.id, again.card.id, "the same key, the same case");
    assert_eq!(code(c.hand_off().await), "case_exists");
    let e = forms::set(
        &c.app,
        &by(&c.citizen),
        c.id.clone(),
        "purpose.recipient".into(),
        1,
        json!("别处"),
    )
    .await;
    assert_eq!(code(e), "form_frozen");

    assert_eq!(view.card.state, CaseState::Accepted);
    assert!(
        view.card.number.starts_with("430981")
            && view.card.number.ends_with("000001")
            && view.card.number.len() == 20
    );
    assert!(
        view.card.due_on.is_some() && view.card.days_left == Some(3),
        "promised in 3 working days: {:?}",
        view.card.days_left
    );
    assert_eq!(view.card.applicant_masked, "刘*");
    let duties: Vec<&str> = view.duties.iter().map(|d| d.duty.as_str()).collect();
    for d in ["guided", "filled", "accepted"] {
        assert!(duties.contains(&d), "{duties:?}");
    }
    assert!(
        view.signature.is_some()
            && view.materials.len() == 1
            && view.licence_accesses.len() == 1
            && view.consents.len() == 1
    );
    assert!(
        view.timeline
            .iter()
            .map(|e| e.kind.as_str())
            .eq(["received", "accepted"])
    );
    // The agent and the citizen read it masked; the department reads it whole.
    let name = |v: &CaseView| v.form.as_ref().unwrap().groups[0].fields[0].value.clone();
    let case = CaseId::parse(&view.card.id).unwrap();
    assert_eq!(name(&c.get(&c.citizen, &case).await), json!("刘*"));
    assert_eq!(
        name(&c.get(&staff("reviewer1", &[Role::Reviewer]), &case).await),
        json!(NAME)
    );
    for stranger in [
        staff("reviewer2", &[Role::Reviewer]),
        staff("agent1", &[Role::Agent]),
        Principal::Case {
            case: CaseId::make(1, 1),
        },
    ] {
        assert_eq!(
            code(cases::get(&c.app, &stranger, case.clone()).await),
            "not_found"
        );
    }
    for who in [&c.citizen, &c.agent] {
        assert!(
            papers::receipt_of_session(&c.app, who, c.id.clone())
                .await
                .unwrap()
                .starts_with(b"%PDF-")
        );
    }

    // The phone gets the case by a code that works once.
    let caller = by(&c.citizen);
    let made = handover::make(&c.app, &caller, c.id.clone()).await.unwrap();
    assert_eq!(
        handover::make(&c.app, &caller, c.id.clone())
            .await
            .unwrap()
            .code,
        made.code
    );
    assert!(
        made.url.ends_with(&format!("/phone/#c={}", made.code)) && made.qr_svg.contains("<svg")
    );
    assert_eq!(
        code(handover::make(&c.app, &by(&c.agent), c.id.clone()).await),
        "citizen_only"
    );
    let exchange = |key: Option<&'static str>| {
        let (app, code) = (c.app.clone(), made.code.clone());
        async move { handover::exchange(&app, key, code).await }
    };
    assert_eq!(code(exchange(None).await), "key_required");
    let token = exchange(Some("phone-1")).await.unwrap();
    assert_eq!(token.case.card.id, view.card.id);
    // The answer was lost on its way: the same key gives the same token, another key finds the code used.
    let minutes_on = later::app_in(&c.app, Span::seconds(600));
    let again = handover::exchange(&minutes_on, Some("phone-1"), made.code.clone())
        .await
        .unwrap();
    assert_eq!(
        (again.access_token, again.expires_at, again.case.card.id),
        (token.access_token, token.expires_at, token.case.card.id)
    );
    assert_eq!(code(exchange(Some("phone-2")).await), "code_invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guided_cannot_review_by_the_api_and_by_the_database() {
    let (c, case, view) = handed_in().await;
    let v = view.card.version;
    assert_eq!(
        code(cases::claim(&c.app, &by(&c.agent), case.clone(), v).await),
        "duty_conflict"
    );
    // Without the role it is the same answer: it is their case.
    assert_eq!(
        code(
            cases::claim(
                &c.app,
                &by(&staff("agent2", &[Role::Agent])),
                case.clone(),
                v
            )
            .await
        ),
        "duty_conflict"
    );
    let own = c.get(&c.agent, &case).await;
    assert!(
        own.actions.is_empty()
            && own.blocked.iter().any(|b| b.action == "grant"
                && b.code == "duty_conflict"
                && !b.message.zh.is_empty())
    );
    let refused = |r: Result<bool, AppError>| matches!(r, Err(AppError::Store(StoreError::Constraint(ref c))) if c.contains("duty_conflict"));
    assert!(refused(
        duty(&c.app, &case, "agent2", "agent2", Duty::Reviewed).await
    ));
    // Another account of the same person, too.
    assert!(refused(
        duty(&c.app, &case, "reviewer1", "agent2", Duty::Decided).await
    ));
    assert!(
        duty(&c.app, &case, "reviewer1", "reviewer1", Duty::Reviewed)
            .await
            .unwrap()
    );
    // What the table says counts for the API as well.
    assert!(
        duty(&c.app, &case, "issuer2", "issuer2", Duty::Issued)
            .await
            .unwrap()
    );
    assert!(
        c.get(&staff("reviewer1", &[Role::Reviewer]), &case)
            .await
            .actions
            .contains(&"claim".to_owned())
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_review_to_the_verified_and_rated_result() {
    let (c, case, view) = handed_in().await;
    let (reviewer, issuer) = (
        staff("reviewer1", &[Role::Reviewer]),
        staff("issuer1", &[Role::Issuer]),
    );
    let phone = Principal::Case { case: case.clone() };
    let app = &c.app;

    let list = cases::list(app, &reviewer, "review", None, 50)
        .await
        .unwrap();
    assert_eq!(
        (list.items.len(), list.items[0].id.as_str(), list.next),
        (1, view.card.id.as_str(), None)
    );
    assert_eq!(
        code(cases::list(app, &reviewer, "issue", None, 50).await),
        "role_missing"
    );
    assert!(
        cases::list(
            app,
            &staff("reviewer2", &[Role::Reviewer]),
            "review",
            None,
            50
        )
        .await
        .unwrap()
        .items
        .is_empty()
    );

    let grant = |version: i64| Grant {
        version,
        opinion: "经查询未发现犯罪记录，准予开具。".into(),
    };
    assert_eq!(
        code(cases::grant(app, &by(&reviewer), case.clone(), grant(view.card.version)).await),
        "claim_first"
    );
    let v = cases::claim(app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    assert_eq!(
        (v.card.state, v.card.claimed_by.as_deref()),
        (CaseState::InReview, Some("郑卫东"))
    );
    assert!(
        ["release", "correct", "refuse", "grant"]
            .iter()
            .all(|a| v.actions.contains(&(*a).to_owned())),
        "{:?}",
        v.actions
    );
    assert!(
        v.look_first
            .iter()
            .any(|l| l.target == "purpose.recipient" && l.why == "typed")
    );
    let stale = cases::grant(app, &by(&reviewer), case.clone(), grant(view.card.version))
        .await
        .unwrap_err();
    assert_eq!(
        (
            stale.code(),
            stale.problem(Language::Zh).current.unwrap()["version"].clone()
        ),
        ("version_stale", json!(v.card.version))
    );

    // One correction, with all its points.
    let ask = |target: &str, version| AskCorrection {
        version,
        points: vec![CorrectionPoint {
            target: Some(target.into()),
            text: both("请写全称"),
        }],
        days: 5,
    };
    assert_eq!(
        code(
            cases::ask_correction(
                app,
                &by(&reviewer),
                case.clone(),
                ask("no.such", v.card.version)
            )
            .await
        ),
        "correction_target"
    );
    let v = cases::ask_correction(
        app,
        &by(&reviewer),
        case.clone(),
        ask("purpose.recipient", v.card.version),
    )
    .await
    .unwrap();
    assert_eq!(
        (v.card.state, v.card.days_left),
        (CaseState::Correction, None)
    );
    let told = c.get(&phone, &case).await;
    assert!(
        told.actions.contains(&"reply".to_owned())
            && told.correction.as_ref().unwrap().points[0].text.zh == "请写全称"
    );
    assert!(
        papers::decision(app, &phone, case.clone())
            .await
            .unwrap()
            .starts_with(b"%PDF-")
    );
    let reply = |path: &str, value: &str| ReplyCorrection {
        version: v.card.version,
        values: vec![FieldValue {
            path: path.into(),
            value: json!(value),
        }],
        note: String::new(),
    };
    assert_eq!(
        code(
            cases::reply_correction(
                app,
                &by(&reviewer),
                case.clone(),
                reply("purpose.recipient", "x")
            )
            .await
        ),
        "citizen_only"
    );
    assert_eq!(
        code(
            cases::reply_correction(
                app,
                &by(&phone),
                case.clone(),
                reply("applicant.name", "别人")
            )
            .await
        ),
        "correction_target"
    );
    let nothing = ReplyCorrection {
        version: v.card.version,
        values: vec![],
        note: String::new(),
    };
    let e = cases::reply_correction(app, &by(&phone), case.clone(), nothing)
        .await
        .unwrap_err();
    assert_eq!(
        (e.code(), e.problem(Language::Zh).errors[0].pointer.as_str()),
        ("correction_incomplete", "purpose.recipient")
    );
    let long = "长".repeat(81);
    let e = cases::reply_correction(
        app,
        &by(&phone),
        case.clone(),
        reply("purpose.recipient", &long),
    )
    .await
    .unwrap_err();
    assert_eq!(
        (e.code(), e.problem(Language::Zh).errors[0].code.as_str()),
        ("field_invalid", "field_too_long")
    );
    let v = cases::reply_correction(
        app,
        &by(&phone),
        case.clone(),
        reply("purpose.recipient", "沅江市第一中学（桔城校区）"),
    )
    .await
    .unwrap();
    assert!(
        v.card.corrected
            && v.card.state == CaseState::InReview
            && v.correction.unwrap().answered_at.is_some()
    );
    let v = c.get(&reviewer, &case).await;
    assert_eq!(
        (
            v.look_first[0].target.as_str(),
            v.look_first[0].why.as_str()
        ),
        ("purpose.recipient", "changed")
    );
    assert!(!v.actions.contains(&"correct".to_owned()));
    assert_eq!(
        code(
            cases::ask_correction(
                app,
                &by(&reviewer),
                case.clone(),
                ask("purpose.recipient", v.card.version)
            )
            .await
        ),
        "correction_used"
    );

    let v = cases::grant(app, &by(&reviewer), case.clone(), grant(v.card.version))
        .await
        .unwrap();
    assert_eq!(v.decision.as_ref().unwrap().kind, "granted");
    assert_eq!(
        code(issue::issue(app, &by(&reviewer), case.clone(), v.card.version).await),
        "duty_conflict"
    );
    assert_eq!(
        code(issue::issue(app, &by(&c.agent), case.clone(), v.card.version).await),
        "duty_conflict"
    );
    assert_eq!(
        code(papers::certificate(app, &phone, case.clone()).await),
        "illegal_transition"
    );

    // The issuer sees the paper that is then issued.
    let seen = papers::certificate(app, &issuer, case.clone())
        .await
        .unwrap();
    let granted = v.card.version;
    let caller = by(&issuer);
    let v = issue::issue(app, &caller, case.clone(), v.card.version)
        .await
        .unwrap();
    assert_eq!(v.card.state, CaseState::Issued);
    let cert = v.certificate.clone().unwrap();
    let paper = papers::certificate(app, &phone, case.clone())
        .await
        .unwrap();
    assert!(
        paper.starts_with(b"%PDF-") && paper == seen,
        "the preview is the paper"
    );
    assert_eq!(verify::file_digest(&paper).sm3, cert.sm3);
    // The same command again is the same answer, not a second certificate.
    let again = issue::issue(app, &caller, case.clone(), granted)
        .await
        .unwrap();
    assert_eq!(
        (again.card.version, again.certificate),
        (v.card.version, v.certificate)
    );
    assert_eq!(
        code(issue::issue(app, &by(&issuer), case.clone(), v.card.version).await),
        "illegal_transition"
    );
    assert!(cert.number.starts_with("沅江公安证字〔"));
    let index = app.vault.index("citizen", NUMBER);
    let held = app
        .read(|tx| {
            Box::pin(async move { Ok(store::licence::of_holder(tx, &index, RESULT).await?) })
        })
        .await
        .unwrap();
    assert_eq!(
        (
            held.len(),
            held[0].identifier.as_str(),
            held[0].case_id.as_ref()
        ),
        (1, cert.licence_identifier.as_str(), Some(&case))
    );

    // Anyone who holds the paper may check it.
    let printed = cert.verify_url.rsplit_once("&v=").unwrap().1.to_owned();
    let check = |number: &str, code: &str, file: Option<&str>| {
        let body = Verify {
            number: number.into(),
            code: code.into(),
            file_sm3: file.map(str::to_owned),
        };
        async move { verify::verify(app, body).await.unwrap() }
    };
    let said = check(&cert.number, &printed.to_lowercase(), None).await;
    assert_eq!(
        (said.outcome, said.seal_ok, said.holder_masked.as_deref()),
        (VerifyOutcome::Valid, true, Some("刘*"))
    );
    let said = check(&cert.licence_identifier, &printed, Some(&cert.sm3)).await;
    assert_eq!(
        (said.outcome, said.file_matches),
        (VerifyOutcome::Valid, Some(true))
    );
    let mut bent = paper.clone();
    bent[100] ^= 1;
    assert_eq!(
        check(
            &cert.number,
            &printed,
            Some(&verify::file_digest(&bent).sm3)
        )
        .await
        .outcome,
        VerifyOutcome::Altered
    );
    let wrong = if printed.starts_with('0') {
        printed.replacen('0', "1", 1)
    } else {
        format!("0{}", &printed[1..])
    };
    let said = check(&cert.number, &wrong, None).await;
    assert!(said.outcome == VerifyOutcome::Unknown && said.title.is_none());
    assert_eq!(
        check("沅江公安证字〔2026〕第999999号", &printed, None)
            .await
            .outcome,
        VerifyOutcome::Unknown
    );

    let rate = |stars, tags: &[u16]| Rate {
        stars,
        tags: tags.to_vec(),
        comment: "很快".into(),
    };
    assert_eq!(
        code(ratings::rate(app, &by(&reviewer), case.clone(), rate(5, &[])).await),
        "citizen_only"
    );
    assert_eq!(
        code(ratings::rate(app, &by(&phone), case.clone(), rate(5, &[214])).await),
        "rating_invalid"
    );
    let r = ratings::rate(app, &by(&phone), case.clone(), rate(5, &[517, 513]))
        .await
        .unwrap();
    assert_eq!(
        (r.stars, r.tags, r.comment.as_str(), r.is_default),
        (5, vec![513, 517], "很快", false)
    );
    assert_eq!(
        code(ratings::rate(app, &by(&phone), case.clone(), rate(1, &[])).await),
        "rated"
    );
    let done = cases::list(app, &issuer, "done", None, 50).await.unwrap();
    assert_eq!(done.items.len(), 1);
    the_log_is_whole_until_someone_changes_it(app).await;
}

async fn the_log_is_whole_until_someone_changes_it(app: &App) {
    audit_log::sequence(app).await.unwrap();
    let head = audit_log::head(app).await.unwrap();
    assert!(head.size > 20 && head.pending == 0);
    let report = audit_log::verify(app).await.unwrap();
    assert!(
        report.ok() && report.size == head.size && report.root == head.root,
        "{report:?}"
    );
    // The tree goes on from where it was.
    app.write("test", |tx, w| {
        Box::pin(async move { w.audit(tx, "test.done", "cas_x", json!({})).await })
    })
    .await
    .unwrap();
    audit_log::sequence(app).await.unwrap();
    let report = audit_log::verify(app).await.unwrap();
    assert!(report.ok() && report.size == head.size + 1 && report.checkpoints >= 2);
    let change = |sql: &'static str| {
        let app = app.clone();
        async move {
            app.write("test", move |tx, _| {
                Box::pin(async move { Ok(tx.exec(sql, vec![]).await?) })
            })
            .await
            .unwrap()
        }
    };
    change("UPDATE audit_entries SET actor = 'stf_nobody' WHERE seq = 7").await;
    let bad = audit_log::verify(app).await.unwrap().bad.unwrap();
    assert_eq!((bad.seq, bad.what), (7, "changed"));
    change("DELETE FROM audit_entries WHERE seq = 5").await;
    let bad = audit_log::verify(app).await.unwrap().bad.unwrap();
    assert_eq!((bad.seq, bad.what), (5, "missing"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_companys_licence_waits_for_the_paper_that_was_put_off() {
    let c = call_of(
        "陈志远",
        "430981198008169358",
        staff("agent1", &[Role::Agent]),
    )
    .await;
    c.fill_hotel().await;
    c.sign().await;
    let view = c.hand_off().await.unwrap();
    let (app, case) = (&c.app, CaseId::parse(&view.card.id).unwrap());
    assert_eq!(
        (view.card.applicant_masked.as_str(), view.materials.len()),
        ("沅江市琼湖湖景宾馆有限公司", 4)
    );
    let (reviewer, issuer, phone) = (
        staff("reviewer3", &[Role::Reviewer]),
        staff("issuer2", &[Role::Issuer]),
        Principal::Case { case: case.clone() },
    );
    let v = cases::claim(app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    assert!(v.look_first.iter().any(|l| l.why == "uploaded"));
    let v = cases::grant(
        app,
        &by(&reviewer),
        case.clone(),
        Grant {
            version: v.card.version,
            opinion: "材料齐全，准予许可。".into(),
        },
    )
    .await
    .unwrap();
    let waiting = c.get(&issuer, &case).await;
    assert!(
        waiting.actions.is_empty()
            && waiting
                .blocked
                .iter()
                .any(|b| b.action == "issue" && b.code == "deferred_materials_missing")
    );
    assert_eq!(
        code(issue::issue(app, &by(&issuer), case.clone(), v.card.version).await),
        "deferred_materials_missing"
    );
    let add = |who: &Principal, what: &'static str, bytes: Vec<u8>| {
        let (caller, case) = (by(who), case.clone());
        async move {
            cases::add_material(app, &caller, case, what.into(), "产权证.png".into(), bytes).await
        }
    };
    assert_eq!(
        code(add(&reviewer, "premises-proof", picture()).await),
        "citizen_only"
    );
    assert_eq!(
        code(add(&phone, "place-photo", picture()).await),
        "illegal_transition"
    );
    assert_eq!(
        code(add(&phone, "premises-proof", b"MZ".to_vec()).await),
        "material_type"
    );
    let v = add(&phone, "premises-proof", picture()).await.unwrap();
    let added = v.materials.last().unwrap();
    let (kind, bytes) = papers::material(
        app,
        &issuer,
        case.clone(),
        domain::id::MaterialId::parse(&added.id).unwrap(),
    )
    .await
    .unwrap();
    assert_eq!((kind.as_str(), bytes), ("image/png", picture()));
    let v = issue::issue(app, &by(&issuer), case.clone(), v.card.version)
        .await
        .unwrap();
    let cert = v.certificate.unwrap();
    assert!(cert.number.starts_with("沅江卫生健康证字〔") && cert.valid_until.is_some());
    let body = Verify {
        number: cert.number,
        code: cert.verify_url.rsplit_once("&v=").unwrap().1.into(),
        file_sm3: None,
    };
    let said = verify::verify(app, body).await.unwrap();
    // A company's name is public.
    assert_eq!(
        (said.outcome, said.holder_masked.as_deref()),
        (VerifyOutcome::Valid, Some("沅江市琼湖湖景宾馆有限公司"))
    );
    // It opens to the legal representative alone, like every licence of a company.
    let (holder, owner) = (
        app.vault.index("company", LAKEVIEW),
        app.vault.index("citizen", "430981198008169358"),
    );
    let held = app
        .read(|tx| {
            Box::pin(async move {
                Ok(store::licence::of_holder(tx, &holder, "111000000000164085001").await?)
            })
        })
        .await
        .unwrap();
    assert_eq!(held[0].legal_rep_index.as_deref(), Some(owner.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_that_fails_leaves_the_case_granted() {
    let (c, case, view) = handed_in().await;
    let (reviewer, issuer) = (
        staff("reviewer1", &[Role::Reviewer]),
        staff("issuer1", &[Role::Issuer]),
    );
    let v = cases::claim(&c.app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    let v = cases::grant(
        &c.app,
        &by(&reviewer),
        case.clone(),
        Grant {
            version: v.card.version,
            opinion: "准予开具。".into(),
        },
    )
    .await
    .unwrap();
    // A node over the same data that has no fonts.
    let config = Config {
        data_dir: c.dir.path().to_owned(),
        fonts: vec!["/nonexistent.ttc".into()],
        ..Config::default()
    };
    let broken = serve::build(&config, false).await.unwrap();
    let caller = by(&issuer);
    assert_eq!(
        code(issue::issue(&broken, &caller, case.clone(), v.card.version).await),
        "seal_failed"
    );
    assert_eq!(
        code(issue::issue(&broken, &caller, case.clone(), v.card.version).await),
        "seal_failed",
        "the same command, the same answer"
    );
    let v = c.get(&issuer, &case).await;
    assert!(
        v.card.state == CaseState::Granted && v.certificate.is_none() && v.actions == ["issue"]
    );
    assert_eq!(v.timeline.last().unwrap().kind, "issue_failed");
    let v = issue::issue(&c.app, &by(&issuer), case.clone(), v.card.version)
        .await
        .unwrap();
    assert!(
        v.card.state == CaseState::Issued && v.certificate.unwrap().number.ends_with("第000001号"),
        "the number was set aside with the grant"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_gives_reasons_and_a_withdrawal_is_the_citizens() {
    let (c, case, view) = handed_in().await;
    let (app, reviewer) = (&c.app, staff("reviewer1", &[Role::Reviewer]));
    assert_eq!(
        code(cases::withdraw(app, &by(&reviewer), case.clone(), view.card.version).await),
        "citizen_only"
    );
    let v = cases::claim(app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    let other = staff("reviewer1", &[Role::Reviewer]);
    let v = cases::release(app, &by(&other), case.clone(), v.card.version)
        .await
        .unwrap();
    assert_eq!(v.card.claimed_by, None);
    let v = cases::claim(app, &by(&reviewer), case.clone(), v.card.version)
        .await
        .unwrap();
    let refuse = |reasons: Vec<Bilingual>| Refuse {
        version: v.card.version,
        reasons,
        opinion: "见查询告知书".into(),
    };
    assert_eq!(
        code(cases::refuse(app, &by(&reviewer), case.clone(), refuse(vec![])).await),
        "reasons_required"
    );
    assert_eq!(
        code(cases::refuse(app, &by(&reviewer), case.clone(), refuse(vec![both(" ")])).await),
        "reasons_required"
    );
    let v = cases::refuse(
        app,
        &by(&reviewer),
        case.clone(),
        refuse(vec![both("不属于本市管辖")]),
    )
    .await
    .unwrap();
    let d = v.decision.unwrap();
    assert_eq!(
        (v.card.state, d.kind.as_str(), d.remedies.len()),
        (CaseState::Refused, "refused", 2)
    );
    // Whom to turn to is what this county's file says.
    assert!(d.remedies[0].zh.contains("向沅江市人民政府申请行政复议"));
    assert!(
        d.remedies[0]
            .en
            .contains("the Yuanjiang Municipal People's Government")
    );
    assert!(
        papers::decision(app, &c.citizen, case.clone())
            .await
            .unwrap()
            .starts_with(b"%PDF-")
    );
    assert_eq!(
        code(cases::withdraw(app, &by(&c.citizen), case.clone(), v.card.version).await),
        "illegal_transition"
    );
    assert!(
        v.steps
            .iter()
            .any(|s| s.id == "issue" && s.status == "stopped")
    );
    // The official texts stand sealed, not in the machine's column.
    let row = app
        .read(|tx| Box::pin(async move { Ok(store::case::get(tx, &case).await?) }))
        .await
        .unwrap()
        .unwrap();
    assert!(!row.machine.contains("管辖"));

    let (c, case, view) = handed_in().await;
    let v = cases::withdraw(&c.app, &by(&c.citizen), case, view.card.version)
        .await
        .unwrap();
    assert!(v.card.state == CaseState::Withdrawn && v.actions == ["rate"]);
}
