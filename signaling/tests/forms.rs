//! The co-filled form from the card to the signature, through the use cases, on SQLite in a temporary directory.

// A test has a stack of its own.
#![allow(clippy::unwrap_used, clippy::large_futures)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{
    id::{
        BoothId, ConsentId, HallId, Id as _, MaterialId, PairingId, SeatId, SessionId, StaffId,
        TicketId, VisitId,
    },
    time::Timestamp,
};
use protocol::{
    CardRead, Channel, CommandReply, ConsentState, DeviceKey, FieldView, FormView, Language,
    OpenSeat, OpenVisit, OriginView, Role, SessionView, TakeTicket,
};
use serde_json::{Value, json};
use signaling::{
    app::{
        App, Caller, auth, call_flow, catalogue, consents, desk, forms, licences, materials, queue,
        session_view, signing, token::Principal,
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
use tempfile::TempDir;

const ID_CARD: &str = "11100000000013338W011";
const HOUSEHOLD: &str = "11100000000013338W009";
const BUSINESS: &str = "1110000000001420XC001";
const LAKEVIEW: &str = "91430981MA4QDM017G";

static KEYS: AtomicU32 = AtomicU32::new(0);

fn by(who: &Principal) -> Caller {
    Caller {
        who: who.clone(),
        key: Some(format!("k{}", KEYS.fetch_add(1, Ordering::Relaxed))),
        language: Language::Zh,
    }
}

struct Person {
    name: &'static str,
    number: &'static str,
}
const LIU_YANG: Person = Person {
    name: "刘洋",
    number: "430981199802279647",
};
const CHEN: Person = Person {
    name: "陈志远",
    number: "430981198008169358",
};

/// A call in progress: one booth, one agent.
struct Call {
    app: App,
    dir: TempDir,
    citizen: Principal,
    agent: Principal,
    visit: VisitId,
    id: SessionId,
}

async fn call(person: Option<&Person>) -> Call {
    let dir = tempfile::tempdir().unwrap();
    let config = Config {
        data_dir: dir.path().to_owned(),
        ..Config::default()
    };
    let app = serve::build(&config, false).await.unwrap();
    demo::load(&app, dir.path()).await.unwrap();
    let hall: HallId = demo::stable("hall", "yuanjiang");
    let booth = Principal::Booth {
        id: demo::stable::<BoothId>("booth", "booth-1"),
        hall: hall.clone(),
    };
    let token = auth::open_visit(
        &app,
        Some(&booth),
        OpenVisit {
            channel: Channel::Booth,
            hall: hall.to_string(),
            language: Language::Zh,
            elder: false,
        },
    )
    .await
    .unwrap();
    let visit = VisitId::parse(&token.visit.id).unwrap();
    let citizen = Principal::Citizen {
        visit: visit.clone(),
    };
    if let Some(p) = person {
        let read = swipe(&dir, token.visit.card_nonce.as_deref().unwrap(), p);
        auth::identify_visit(&app, &by(&citizen), visit.clone(), read)
            .await
            .unwrap();
    }
    let ticket = queue::take(
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
    let agent = Principal::Staff {
        id: demo::stable::<StaffId>("staff", "agent1"),
        roles: vec![Role::Agent],
        hall,
        department: None,
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
    // Only a seat whose page is there rings.
    desk::hold(
        &app,
        &demo::stable::<StaffId>("staff", "agent1"),
        seat.clone(),
        "c2",
    )
    .await
    .unwrap();
    let view = desk::view(&app, seat).await.unwrap();
    let offer = view.offer.unwrap();
    assert_eq!(TicketId::parse(&offer.ticket).unwrap().as_str(), ticket.id);
    let accepted = desk::accept(&app, &by(&agent), PairingId::parse(&offer.pairing).unwrap())
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
        visit,
        id,
    }
}

fn swipe(dir: &TempDir, nonce: &str, p: &Person) -> CardRead {
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
        nonce, p.name, p.number, &read_at, &booth,
    ));
    CardRead {
        nonce: nonce.into(),
        name: p.name.into(),
        number: p.number.into(),
        read_at,
        booth,
        signature,
    }
}

impl Call {
    async fn form(&self, who: &Principal) -> FormView {
        forms::view(&self.app, who, self.id.clone())
            .await
            .unwrap()
            .unwrap()
    }
    async fn session(&self, who: &Principal) -> SessionView {
        session_view::get(&self.app, who, self.id.clone())
            .await
            .unwrap()
    }
    async fn field(&self, who: &Principal, path: &str) -> FieldView {
        self.form(who)
            .await
            .groups
            .into_iter()
            .flat_map(|g| g.fields)
            .find(|f| f.path == path)
            .unwrap()
    }
    async fn open(&self, item: &str) {
        forms::open(&self.app, &by(&self.agent), self.id.clone(), item.into())
            .await
            .unwrap();
    }
    async fn set(
        &self,
        who: &Principal,
        path: &str,
        value: Value,
    ) -> Result<CommandReply, AppError> {
        let base = self.field(who, path).await.version;
        forms::set(
            &self.app,
            &by(who),
            self.id.clone(),
            path.into(),
            base,
            value,
        )
        .await
    }
    async fn ask(&self, kind: &str, company: Option<&str>) -> Result<ConsentId, AppError> {
        match consents::ask(
            &self.app,
            &by(&self.agent),
            self.id.clone(),
            kind.into(),
            company.map(str::to_owned),
        )
        .await?
        {
            CommandReply::Consent { consent } => Ok(ConsentId::parse(&consent).unwrap()),
            other => panic!("{other:?}"),
        }
    }
    async fn answer(&self, c: &ConsentId, grant: bool) -> Result<CommandReply, AppError> {
        consents::answer(
            &self.app,
            &by(&self.citizen),
            self.id.clone(),
            c.clone(),
            grant,
        )
        .await
    }
    /// Presses 都对 everywhere, and confirms each deciding fact.
    async fn confirm_all(&self) {
        let form = self.form(&self.citizen).await;
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
        for g in &form.groups {
            if g.fields
                .iter()
                .any(|f| f.visible && !f.confirm_single && !f.value.is_null())
            {
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
    }
    async fn fill_the_rest(&self) {
        for (path, value) in [
            ("purpose.kind", json!("employment")),
            ("purpose.recipient", json!("沅江市第一中学")),
            ("period.kind", json!("all")),
            ("contact.mobile", json!("13800000005")),
            ("contact.delivery", json!("electronic")),
        ] {
            self.set(&self.agent, path, value).await.unwrap();
        }
        self.set(&self.citizen, "statement.pending_case", json!("no"))
            .await
            .unwrap();
    }
}

fn code<T: std::fmt::Debug>(r: Result<T, AppError>) -> String {
    r.unwrap_err().code().to_owned()
}

fn ink() -> (Vec<Vec<[i32; 3]>>, String) {
    let mut png = Vec::new();
    image::GrayImage::new(300, 120)
        .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    (
        vec![vec![[10, 10, 0], [90, 60, 30], [160, 20, 80]]],
        STANDARD.encode(png),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_card_to_the_signature() {
    let c = call(Some(&LIU_YANG)).await;
    c.open("no-criminal-record").await;

    // What the item maps is shown before anyone agreed; what the citizen holds is not.
    let form = c.form(&c.agent).await;
    assert!(form.prefills.iter().any(|p| p.licence_type == ID_CARD
        && p.fields.contains(&"applicant.name".to_owned())
        && !p.needs_company));
    assert!(
        form.groups
            .iter()
            .flat_map(|g| &g.fields)
            .all(|f| f.value.is_null())
    );
    assert!(
        c.session(&c.agent)
            .await
            .missing
            .contains(&"material:identity-card".to_owned())
    );

    let asked = c.ask(ID_CARD, None).await.unwrap();
    assert_eq!(code(c.ask(ID_CARD, None).await), "consent_open");
    let sheet = c.session(&c.citizen).await.consents.remove(0);
    assert_eq!(
        (
            sheet.state,
            sheet.outcome.clone(),
            sheet.licence_name.zh.as_str()
        ),
        (ConsentState::Asked, None, "居民身份证")
    );
    assert!(
        sheet.purpose.zh.contains("无犯罪记录证明") && sheet.fields.iter().any(|f| f.zh == "姓名")
    );
    // Only the citizen answers.
    assert_eq!(
        code(consents::answer(&c.app, &by(&c.agent), c.id.clone(), asked.clone(), true).await),
        "citizen_only"
    );

    c.answer(&asked, true).await.unwrap();
    assert_eq!(code(c.answer(&asked, true).await), "consent_state");
    let name = c.field(&c.citizen, "applicant.name").await;
    assert_eq!(name.value, json!("刘洋"));
    assert!(
        matches!(name.origin, Some(OriginView::Licence { ref licence_type, ref consent, .. }) if licence_type == ID_CARD && *consent == asked.to_string())
    );
    // The agent sees stars, and stars are no value.
    let masked = c.field(&c.agent, "applicant.id_number").await;
    assert_eq!(
        (masked.value.clone(), masked.masked),
        (json!("4309**********9647"), true)
    );
    assert_eq!(
        code(c.set(&c.agent, "applicant.id_number", masked.value).await),
        "field_masked"
    );
    assert_eq!(
        c.field(&c.citizen, "applicant.id_number").await.value,
        json!("430981199802279647")
    );

    // One reading, on record and signed, and a copy of the card as a material.
    let view = c.session(&c.agent).await;
    assert_eq!(
        (view.consents[0].state, view.consents[0].outcome.as_deref()),
        (ConsentState::Used, Some("filled"))
    );
    let copy = view
        .materials
        .iter()
        .find(|m| m.code == "identity-card")
        .expect("the licence's copy");
    assert_eq!(
        (copy.source.as_str(), copy.media_type.as_str()),
        ("licence_copy", "application/pdf")
    );
    let (kind, bytes) = materials::read(
        &c.app,
        &c.agent,
        c.id.clone(),
        MaterialId::parse(&copy.id).unwrap(),
    )
    .await
    .unwrap();
    assert!(kind == "application/pdf" && bytes.starts_with(b"%PDF-"));
    let (app, visit) = (c.app.clone(), c.visit.clone());
    let accesses = app
        .read(|tx| {
            Box::pin(async move { Ok(store::licence::accesses_of_visit(tx, &visit).await?) })
        })
        .await
        .unwrap();
    assert_eq!(accesses.len(), 1);
    assert_eq!(
        accesses[0].signature,
        licences::access_signature(&c.app, &accesses[0]).unwrap()
    );

    // Not before all is filled and confirmed.
    assert_eq!(
        code(signing::ask(&c.app, &by(&c.agent), c.id.clone()).await),
        "form_not_ready"
    );
    c.fill_the_rest().await;
    assert_eq!(c.session(&c.agent).await.missing, ["confirm", "signature"]);
    c.confirm_all().await;
    let form = c.form(&c.agent).await;
    assert!(form.ready_to_sign && form.errors == 0 && !form.signed);

    signing::ask(&c.app, &by(&c.agent), c.id.clone())
        .await
        .unwrap();
    let pad = c.session(&c.citizen).await.sign.unwrap();
    let (strokes, image) = ink();
    assert_eq!(
        code(
            signing::sign(
                &c.app,
                &by(&c.citizen),
                c.id.clone(),
                "0".repeat(64),
                strokes.clone(),
                image.clone()
            )
            .await
        ),
        "sign_stale"
    );
    signing::sign(
        &c.app,
        &by(&c.citizen),
        c.id.clone(),
        pad.digest.clone(),
        strokes.clone(),
        image.clone(),
    )
    .await
    .unwrap();
    assert!(c.form(&c.citizen).await.signed);
    assert!(c.session(&c.agent).await.missing.is_empty());

    // Any change makes it void; the same words again do not.
    c.set(&c.agent, "purpose.recipient", json!("沅江市第一中学"))
        .await
        .unwrap();
    assert!(c.form(&c.agent).await.signed);
    c.set(&c.agent, "purpose.recipient", json!("沅江市第二中学"))
        .await
        .unwrap();
    let form = c.form(&c.citizen).await;
    assert!(!form.signed && !form.ready_to_sign);
    let f = c.field(&c.citizen, "purpose.recipient").await;
    assert!(f.changed_since_confirm && !f.confirmed);
    assert_eq!(
        code(
            signing::sign(
                &c.app,
                &by(&c.citizen),
                c.id.clone(),
                pad.digest,
                strokes,
                image
            )
            .await
        ),
        "sign_not_asked"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusal_and_anonymity_leave_everything_empty() {
    let c = call(None).await;
    c.open("no-criminal-record").await;
    assert_eq!(code(c.ask(ID_CARD, None).await), "identity_required");
    let nonce = c.session(&c.citizen).await.card_nonce.unwrap();
    auth::identify_visit(
        &c.app,
        &by(&c.citizen),
        c.visit.clone(),
        swipe(&c.dir, &nonce, &LIU_YANG),
    )
    .await
    .unwrap();
    let asked = c.ask(HOUSEHOLD, None).await.unwrap();
    c.answer(&asked, false).await.unwrap();
    let view = c.session(&c.agent).await;
    assert_eq!(
        (view.consents[0].state, view.consents[0].outcome.clone()),
        (ConsentState::Refused, None)
    );
    assert!(
        c.form(&c.citizen)
            .await
            .groups
            .iter()
            .flat_map(|g| &g.fields)
            .all(|f| f.value.is_null())
    );
    assert!(view.materials.is_empty());
    // The session goes on, and it may be asked again.
    c.set(&c.citizen, "applicant.name", json!("刘洋"))
        .await
        .unwrap();
    c.ask(HOUSEHOLD, None).await.unwrap();
    assert_eq!(
        code(c.ask("11100000000013338W999", None).await),
        "licence_type_unknown"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_companys_licence_opens_to_its_legal_representative_alone() {
    let c = call(Some(&LIU_YANG)).await;
    c.open("hygiene-licence").await;
    assert_eq!(code(c.ask(BUSINESS, None).await), "company_required");
    let asked = c.ask(BUSINESS, Some(LAKEVIEW)).await.unwrap();
    c.answer(&asked, true).await.unwrap();
    let told = &c.session(&c.agent).await.consents[0];
    assert_eq!(
        (told.outcome.as_deref(), told.state),
        (Some("not_entitled"), ConsentState::Used),
        "the one look is taken: the grant does not stay open for another"
    );
    assert!(c.field(&c.citizen, "company.name").await.value.is_null());

    let c = call(Some(&CHEN)).await;
    c.open("hygiene-licence").await;
    let asked = c.ask(BUSINESS, Some(LAKEVIEW)).await.unwrap();
    c.answer(&asked, true).await.unwrap();
    assert_eq!(
        c.field(&c.agent, "company.name").await.value,
        json!("沅江市琼湖湖景宾馆有限公司")
    );
    assert!(
        c.session(&c.agent)
            .await
            .materials
            .iter()
            .any(|m| m.code == "business-licence")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_writers_are_told_of_each_other() {
    let c = call(Some(&LIU_YANG)).await;
    assert_eq!(
        code(
            forms::set(
                &c.app,
                &by(&c.agent),
                c.id.clone(),
                "purpose.detail".into(),
                0,
                json!("x")
            )
            .await
        ),
        "form_not_open"
    );
    assert_eq!(
        code(
            forms::open(
                &c.app,
                &by(&c.citizen),
                c.id.clone(),
                "no-criminal-record".into()
            )
            .await
        ),
        "agent_only"
    );
    assert_eq!(
        code(forms::open(&c.app, &by(&c.agent), c.id.clone(), "nothing".into()).await),
        "item_unknown"
    );
    c.open("no-criminal-record").await;
    let write = |who: &Principal, path: &'static str, base: i64, v: Value| {
        let (app, caller, id) = (c.app.clone(), by(who), c.id.clone());
        async move { forms::set(&app, &caller, id, path.into(), base, v).await }
    };
    write(&c.citizen, "contact.mobile", 0, json!("13800000005"))
        .await
        .unwrap();
    // Stale: the current value comes along, masked for the agent.
    let e = write(&c.agent, "contact.mobile", 0, json!("13900000000"))
        .await
        .unwrap_err();
    assert_eq!(e.code(), "field_stale");
    let current = e.problem(Language::Zh).current.unwrap();
    assert_eq!(
        (
            current["version"].clone(),
            current["value"].clone(),
            current["by"].clone()
        ),
        (json!(1), json!("138****0005"), json!("citizen"))
    );
    // A repeat with the same key is the same answer, not a second write.
    let caller = by(&c.citizen);
    for _ in 0..2 {
        let r = forms::set(
            &c.app,
            &caller,
            c.id.clone(),
            "contact.mobile".into(),
            1,
            json!("13800000006"),
        )
        .await
        .unwrap();
        assert!(
            matches!(r, CommandReply::FieldVersion { version: 2, .. }),
            "{r:?}"
        );
    }
    // CEL: what is asked for follows from what is filled.
    assert!(!c.field(&c.agent, "purpose.detail").await.visible);
    assert_eq!(
        code(write(&c.agent, "purpose.detail", 0, json!("x")).await),
        "field_hidden"
    );
    write(&c.agent, "purpose.kind", 0, json!("other"))
        .await
        .unwrap();
    let f = c.field(&c.agent, "purpose.detail").await;
    assert!(f.visible && f.required);
    // Wrong values are named at the field, in both languages.
    write(
        &c.citizen,
        "applicant.id_number",
        0,
        json!("430981199802279648"),
    )
    .await
    .unwrap();
    let e = c
        .field(&c.citizen, "applicant.id_number")
        .await
        .error
        .unwrap();
    assert!(
        e.code == "id_number_check" && e.message.zh.contains("校验码") && !e.message.en.is_empty()
    );
    write(&c.citizen, "applicant.birth_date", 0, json!("2999-01-01"))
        .await
        .unwrap();
    assert_eq!(
        c.field(&c.citizen, "applicant.birth_date")
            .await
            .error
            .unwrap()
            .code,
        "rule_failed"
    );
    // Whose field it is.
    assert_eq!(
        code(write(&c.agent, "statement.pending_case", 0, json!("no")).await),
        "citizen_only"
    );
    assert_eq!(
        code(write(&c.agent, "no.such", 0, json!("no")).await),
        "field_unknown"
    );
    assert_eq!(
        code(forms::confirm(&c.app, &by(&c.agent), c.id.clone(), "purpose".into(), 99).await),
        "citizen_only"
    );
    // 都对 over a form that changed meanwhile: the field that changed is named.
    let seen = c.form(&c.citizen).await.version;
    write(&c.agent, "purpose.detail", 0, json!("留学"))
        .await
        .unwrap();
    write(&c.agent, "purpose.recipient", 0, json!("某校"))
        .await
        .unwrap();
    assert_eq!(
        code(
            forms::confirm(
                &c.app,
                &by(&c.citizen),
                c.id.clone(),
                "purpose".into(),
                seen
            )
            .await
        ),
        "field_stale"
    );
    let now = c.form(&c.citizen).await.version;
    forms::confirm(&c.app, &by(&c.citizen), c.id.clone(), "purpose".into(), now)
        .await
        .unwrap();
    assert!(c.field(&c.citizen, "purpose.detail").await.confirmed);
    forms::dispute(&c.app, &by(&c.citizen), c.id.clone(), "purpose".into())
        .await
        .unwrap();
    let g = c
        .form(&c.agent)
        .await
        .groups
        .into_iter()
        .find(|g| g.id == "purpose")
        .unwrap();
    assert!(g.disputed && !g.confirmed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn materials_are_taken_by_content_and_read_by_members() {
    let c = call(Some(&CHEN)).await;
    c.open("hygiene-licence").await;
    let mut png = Vec::new();
    image::RgbImage::new(64, 48)
        .write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let add = |who: &Principal, what: &'static str, bytes: Vec<u8>| {
        let (app, caller, id) = (c.app.clone(), by(who), c.id.clone());
        async move { materials::add(&app, &caller, id, what.into(), bytes).await }
    };
    let m = add(&c.citizen, "place-photo", png.clone()).await.unwrap();
    assert_eq!(
        (
            m.source.as_str(),
            m.media_type.as_str(),
            m.name.zh.is_empty()
        ),
        ("camera", "image/png", false)
    );
    assert_eq!(
        code(add(&c.citizen, "no-such", png.clone()).await),
        "material_unknown"
    );
    assert_eq!(
        code(add(&c.citizen, "business-licence", png.clone()).await),
        "material_camera"
    );
    assert_eq!(
        code(add(&c.citizen, "place-photo", b"MZ not a picture".to_vec()).await),
        "material_type"
    );
    let id = MaterialId::parse(&m.id).unwrap();
    assert_eq!(
        materials::read(&c.app, &c.agent, c.id.clone(), id.clone())
            .await
            .unwrap()
            .1,
        png
    );
    let stranger = Principal::Staff {
        id: demo::stable::<StaffId>("staff", "agent2"),
        roles: vec![Role::Agent],
        hall: demo::stable("hall", "yuanjiang"),
        department: None,
    };
    assert_eq!(
        code(materials::read(&c.app, &stranger, c.id.clone(), id.clone()).await),
        "not_a_member"
    );
    // Sealed on disk.
    let mut files = 0;
    for d in std::fs::read_dir(c.dir.path().join("files"))
        .unwrap()
        .flatten()
    {
        for f in std::fs::read_dir(d.path()).unwrap().flatten() {
            files += 1;
            assert!(
                !std::fs::read(f.path())
                    .unwrap()
                    .windows(8)
                    .any(|w| w == b"\x89PNG\r\n\x1a\n")
            );
        }
    }
    assert_eq!(files, 1);
    materials::remove(&c.app, &by(&c.agent), c.id.clone(), id.clone())
        .await
        .unwrap();
    assert_eq!(
        code(materials::remove(&c.app, &by(&c.agent), c.id.clone(), id).await),
        "material_unknown"
    );
    assert!(c.session(&c.agent).await.materials.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo_county_loads_twice_and_an_ended_session_asks_nothing_more() {
    let c = call(Some(&LIU_YANG)).await;
    let again = demo::load(&c.app, c.dir.path()).await.unwrap();
    assert!(
        again.accounts.len() >= 10
            && again.items == 3
            && again.to_string().contains(demo::PASSWORD)
    );
    c.open("no-criminal-record").await;
    let asked = c.ask(ID_CARD, None).await.unwrap();
    call_flow::end(&c.app, &by(&c.agent), c.id.clone(), "finished".into())
        .await
        .unwrap();
    assert_eq!(
        c.session(&c.agent).await.consents[0].state,
        ConsentState::Refused,
        "silence is a no"
    );
    assert_eq!(code(c.answer(&asked, true).await), "session_ended");
    assert_eq!(
        code(c.set(&c.citizen, "applicant.name", json!("刘洋")).await),
        "session_ended"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_of_a_correction_says_what_it_is_about() {
    let c = call(None).await;
    let item = catalogue::get(&c.app, "no-criminal-record".into())
        .await
        .unwrap();
    let targets: Vec<_> = item
        .correction_reasons
        .iter()
        .filter_map(|r| r.target.as_deref())
        .collect();
    assert!(
        targets.contains(&"purpose-proof"),
        "a material: {targets:?}"
    );
    assert!(
        targets.contains(&"purpose.recipient"),
        "a field: {targets:?}"
    );
}
