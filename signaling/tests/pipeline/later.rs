//! What the server does by itself when days have passed: the same installation under a clock that is ahead.

use super::*;
use domain::case::State;
use signaling::app::{
    Clock, Parts, SystemClock, audit_log::TreeCache, deadlines, erasure, files, media::MediaPlane,
};

const DAY: i64 = 24 * 3600;

struct Ahead(Span);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }
}

/// The installation as it will be.
pub fn app_in(app: &App, time: Span) -> App {
    App::new(Parts {
        store: app.store.clone(),
        clock: Box::new(Ahead(time)),
        vault: app.vault.clone(),
        bus: app.bus.clone(),
        media: MediaPlane::default(),
        public_url: app.public_url.clone(),
        bridge_url: app.bridge_url.clone(),
        files_dir: app.files_dir.clone(),
        recordings_dir: app.recordings_dir.clone(),
        calendar: app.calendar.clone(),
        papers: app.papers.clone(),
        halls: Default::default(),
        county: app.county.clone(),
        checks: Default::default(),
        reach: Default::default(),
        audit_tree: TreeCache::default(),
    })
}

async fn actions(app: &App, object: &str) -> Vec<String> {
    audit_log::of_object(app, object)
        .await
        .unwrap()
        .items
        .into_iter()
        .map(|e| e.action)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_that_does_not_come_returns_the_case() {
    let (c, case, view) = handed_in().await;
    let (app, reviewer) = (&c.app, staff("reviewer1", &[Role::Reviewer]));
    let v = cases::claim(app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    let ask = AskCorrection {
        version: v.card.version,
        points: vec![CorrectionPoint {
            target: Some("purpose.recipient".into()),
            text: both("请写全称"),
        }],
        days: 2,
    };
    cases::ask_correction(app, &by(&reviewer), case.clone(), ask)
        .await
        .unwrap();
    deadlines::return_overdue(app).await.unwrap();
    let v = c.get(&c.citizen, &case).await;
    assert_eq!(v.card.state, CaseState::Correction, "there are days left");
    // Twenty days hold two working days whatever the holidays are.
    let then = app_in(app, Span::seconds(20 * DAY));
    for _ in 0..2 {
        deadlines::return_overdue(&then).await.unwrap();
    }
    let v = c.get(&c.citizen, &case).await;
    assert_eq!(
        (v.card.state, v.card.claimed_by.as_ref()),
        (CaseState::Returned, None)
    );
    let returned: Vec<_> = v.timeline.iter().filter(|e| e.kind == "returned").collect();
    assert!(returned.len() == 1 && returned[0].text.zh.contains("退回"));
    let told = actions(app, case.as_str()).await;
    assert_eq!(
        told.iter().filter(|a| *a == "case.return_overdue").count(),
        1
    );
    let notices = app
        .read(|tx| Box::pin(async move { Ok(store::outbox::unsequenced(tx).await?) }))
        .await
        .unwrap();
    let last = notices.iter().max_by_key(|m| m.at).unwrap();
    assert!(last.subject == case.as_str() && last.payload.contains("\"returned\""));
    let late = ReplyCorrection {
        version: v.card.version,
        values: vec![],
        note: "来晚了".into(),
    };
    assert_eq!(
        code(cases::reply_correction(app, &by(&c.citizen), case.clone(), late).await),
        "illegal_transition"
    );
    let row = app
        .read(move |tx| Box::pin(async move { Ok(store::case::get(tx, &case).await?) }))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.state, row.correction_due), (State::Returned, None));
}

/// The newest sealed entry of the session's journal, opened with the session's key.
async fn opened(app: &App, id: &SessionId) -> Result<serde_json::Value, AppError> {
    let (a, id) = (app.clone(), id.clone());
    app.read(move |tx| {
        Box::pin(async move {
            let s = store::session::get(tx, &id).await?.unwrap();
            let e = store::session::events_after(tx, &id, s.seq - 1, 1).await?;
            a.vault.key(tx, &s.key_id).await?.open(&e[0].payload_enc)
        })
    })
    .await
}

/// A file under this key; where it lies.
async fn a_file(app: &App, key: &domain::id::KeyId) -> std::path::PathBuf {
    let data_key = files::key_of(app, key).await.unwrap();
    let sm3 = files::put(app, &data_key, b"a picture".to_vec())
        .await
        .unwrap();
    let (k, digest) = (key.clone(), sm3.clone());
    app.write("test", move |tx, w| {
        let (k, digest) = (k.clone(), digest.clone());
        Box::pin(async move { files::record(tx, w, &k, &digest, 9, "image/png").await })
    })
    .await
    .unwrap();
    let path = app.files_dir.join(&sm3[..2]).join(format!("{sm3}-{key}"));
    assert!(path.is_file());
    path
}

async fn end_visit(c: &Call) -> VisitId {
    let Principal::Citizen { visit } = c.citizen.clone() else {
        panic!("a citizen")
    };
    call_flow::end_visit(&c.app, &by(&c.citizen), visit.clone())
        .await
        .unwrap();
    visit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_led_to_no_case_dies_with_its_key_a_day_after_the_visit() {
    let c = call().await;
    c.fill().await;
    let visit = end_visit(&c).await;
    let key = c
        .app
        .read({
            let visit = visit.clone();
            move |tx| Box::pin(async move { Ok(store::visit::get(tx, &visit).await?) })
        })
        .await
        .unwrap()
        .unwrap()
        .key_id;
    let photo = a_file(&c.app, &key).await;
    erasure::sweep(&app_in(&c.app, Span::seconds(DAY - 60)))
        .await
        .unwrap();
    assert!(opened(&c.app, &c.id).await.is_ok(), "the day is not over");
    assert!(photo.is_file());
    let then = app_in(&c.app, Span::seconds(DAY + 60));
    for _ in 0..2 {
        erasure::sweep(&then).await.unwrap();
    }
    assert_eq!(code(opened(&c.app, &c.id).await), "not_found");
    assert_eq!(actions(&c.app, key.as_str()).await, ["key.destroyed"]);
    assert!(!photo.exists(), "the sealed bytes leave the disk, too");
    let rows = c
        .app
        .read(move |tx| Box::pin(async move { Ok(store::file::of_key(tx, &key, "", 9).await?) }));
    assert!(rows.await.unwrap().is_empty());
    // The agent who was there cannot read it either.
    assert_eq!(
        code(session_view::get(&c.app, &c.agent, c.id.clone()).await),
        "not_found"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_keeps_the_key_of_its_visit() {
    let (c, case, _) = handed_in().await;
    let id = case.clone();
    let row = c
        .app
        .read(move |tx| Box::pin(async move { Ok(store::case::get(tx, &id).await?) }));
    let photo = a_file(&c.app, &row.await.unwrap().unwrap().key_id).await;
    end_visit(&c).await;
    let then = app_in(&c.app, Span::seconds(3 * DAY));
    erasure::sweep(&then).await.unwrap();
    assert!(photo.is_file());
    assert!(opened(&c.app, &c.id).await.is_ok());
    let phone = Principal::Case { case: case.clone() };
    let v = cases::get(&then, &phone, case).await.unwrap();
    assert_eq!(v.card.applicant_masked, "刘*");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_closed_without_a_goodbye_ends_with_its_token() {
    let c = call().await;
    let hall: HallId = demo::stable("hall", "yuanjiang");
    let open = OpenVisit {
        channel: Channel::Phone,
        hall: hall.to_string(),
        language: Language::Zh,
        elder: false,
    };
    let idle = auth::open_visit(&c.app, None, open).await.unwrap().visit.id;
    let idle = VisitId::parse(&idle).unwrap();
    let Principal::Citizen { visit: talking } = c.citizen.clone() else {
        panic!("a citizen")
    };
    erasure::sweep(&c.app).await.unwrap();
    auth::still_open(&c.app, idle.clone()).await.unwrap();
    erasure::sweep(&app_in(&c.app, Span::seconds(5 * 3600)))
        .await
        .unwrap();
    assert_eq!(
        code(auth::still_open(&c.app, idle.clone()).await),
        "visit_ended"
    );
    assert_eq!(
        actions(&c.app, idle.as_str()).await,
        ["visit.opened", "visit.ended"]
    );
    auth::still_open(&c.app, talking).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_leave_in_one_order_without_a_gap() {
    let (c, case, view) = handed_in().await;
    let reviewer = staff("reviewer1", &[Role::Reviewer]);
    // Two nodes number at once, while more comes in.
    let other = app_in(&c.app, Span::seconds(0));
    let number = || async {
        let (a, b) = tokio::join!(audit_log::sequence(&c.app), audit_log::sequence(&other));
        a.unwrap();
        b.unwrap();
    };
    number().await;
    let v = cases::claim(&c.app, &by(&reviewer), case.clone(), view.card.version)
        .await
        .unwrap();
    let refuse = Refuse {
        version: v.card.version,
        reasons: vec![both("不属于本市管辖")],
        opinion: String::new(),
    };
    cases::refuse(&c.app, &by(&reviewer), case.clone(), refuse)
        .await
        .unwrap();
    number().await;
    let (next, open) = c
        .app
        .read(|tx| {
            Box::pin(async move {
                Ok((
                    store::outbox::next_seq(tx).await?,
                    store::outbox::open(tx).await?,
                ))
            })
        })
        .await
        .unwrap();
    let all = c
        .app
        .read(move |tx| {
            Box::pin(async move {
                let sql = "SELECT seq, at, payload FROM outbox ORDER BY seq";
                let row = |r: &store::Row<'_>| Ok((r.opt_int("seq")?, r.text("payload")?));
                Ok(tx.all(sql, vec![], row).await?)
            })
        })
        .await
        .unwrap();
    let seqs: Vec<_> = all.iter().map(|(s, _)| *s).collect();
    assert_eq!(seqs, (0..next).map(Some).collect::<Vec<_>>());
    assert!(open == 0 && next >= 3, "{all:?}");
    let place = |word: &str| {
        all.iter()
            .position(|(_, p)| p.contains(&format!("\"{word}\"")))
    };
    assert!(place("received") < place("accepted") && place("accepted") < place("refused"));
}
