//! A hall with its seats, queues and rules, and the server's `App` on a clock that the test holds.
//!
//! A crash is the end of one `App` and a new one on the same database, as a node that is started again: what the old one's
//! connections held is let go by `app::nodes`. Never more than one node at a time.

use domain::{
    calendar::Calendar,
    id::{HallId, Id, NodeId, SeatId, StaffId},
    time::{Span, Timestamp},
};
use futures::FutureExt as _;
use it::services;
use protocol::{Language, Role};
use signaling::{
    app::{
        App, Caller, Clock, Parts, audit_log::TreeCache, county::County, media::MediaPlane, nodes,
        papers::Papers, token::Principal, vault::Vault,
    },
    cluster::Bus,
};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use store::{Store, StoreError, Target, catalogue, hall, queue, seat, staff};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// 2026-11-23, a Monday, nine in the morning in Beijing.
pub const OPENS: &str = "2026-11-23T01:00:00Z";
/// Queues besides the general one: the item that leads there has the same name.
pub const QUEUES: [&str; 2] = ["tax", "police"];

/// Never shows the same time twice, so each transaction has a moment of its own.
#[derive(Clone)]
pub struct Held(Arc<AtomicI64>);

impl Clock for Held {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

impl Held {
    pub fn peek(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
    pub fn reach(&self, t: Timestamp) {
        self.0.fetch_max(t.0, Ordering::SeqCst);
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum On {
    Sqlite,
    Postgres,
}

pub fn hall_id() -> HallId {
    HallId::make(0, 1)
}
pub fn seat_id(n: usize) -> SeatId {
    SeatId::make(0, 1000 + n as u128)
}
pub fn staff_id(n: usize) -> StaffId {
    StaffId::make(0, 1000 + n as u128)
}

/// Every kind of seat: general alone, with tax, with police, with slow speech, tax alone.
fn skills(n: usize) -> staff::Skills {
    let level = 1 + (n % 4) as u8;
    let mut all = vec![];
    if n % 7 != 6 {
        all.push(("general", level));
    }
    if n % 3 == 1 || n % 7 == 6 {
        all.push(("tax", level));
    }
    if n % 4 == 2 {
        all.push(("police", level));
    }
    if n.is_multiple_of(5) {
        all.push(("need:slow_speech", 3));
    }
    all.into_iter().collect()
}

/// Tax wants masters at first; slow speech is waited for two minutes; police never relaxes.
fn rules() -> [(&'static str, &'static str); 2] {
    [
        (
            "general",
            r#"{"required":[{"code":"general","level":1}],"steps":[{"after_s":120,"drop":["need:slow_speech"]}]}"#,
        ),
        (
            "tax",
            r#"{"required":[{"code":"tax","level":3}],"steps":[{"after_s":45,"min_level":2},{"after_s":90,"min_level":1,"drop":["need:slow_speech"]}]}"#,
        ),
    ]
}

/// A published item of each queue, made from one of the demo's.
fn items() -> Vec<(String, String)> {
    let path = it::root().join("signaling/demo/catalogue/no-criminal-record.json");
    let doc: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    QUEUES
        .iter()
        .map(|q| {
            let mut doc = doc.clone();
            doc["id"] = (*q).into();
            doc["skill"] = (*q).into();
            ((*q).to_owned(), doc.to_string())
        })
        .collect()
}

async fn seed(target: &Target, seats: usize, now: Timestamp) {
    let store = Store::open(target).await.unwrap();
    let items = items();
    let done = store.write(move |tx| {
        let items = items.clone();
        async move {
            let h = hall::Hall {
                id: hall_id(),
                name_zh: "大厅".into(),
                name_en: "Hall".into(),
                opens: "00:00".into(),
                closes: "23:59".into(),
                telephone: String::new(),
                address_zh: String::new(),
                address_en: String::new(),
            };
            hall::upsert(tx, &h).await?;
            for code in ["general", "tax", "police", "need:slow_speech"] {
                let skill = hall::Named {
                    code: code.into(),
                    zh: code.into(),
                    en: code.into(),
                };
                hall::upsert_skill(tx, &skill).await?;
            }
            for (code, rule) in rules() {
                queue::save(tx, &hall_id(), code, rule, 0).await?;
            }
            for (id, doc) in &items {
                catalogue::put(tx, id, 1, doc).await?;
                catalogue::publish(tx, id, 1, now).await?;
            }
            for n in 0..seats {
                let s = staff::Staff {
                    id: staff_id(n),
                    account: format!("agent{n}"),
                    name: format!("坐席员{n}"),
                    number_index: format!("index-{n}"),
                    password_hash: String::new(),
                    totp_enc: None,
                    roles: vec!["agent".into()],
                    hall_id: hall_id(),
                    department: None,
                    skills: skills(n),
                    active: true,
                    failures: 0,
                    locked_until: None,
                };
                staff::upsert(tx, &s).await?;
                let (zh, en) = (format!("{n}号席"), format!("Seat {n}"));
                seat::upsert(tx, &seat_id(n), &hall_id(), &zh, &en, now).await?;
            }
            Ok::<_, StoreError>(())
        }
        .boxed()
    });
    done.await.unwrap();
    store.close().await;
}

pub struct World {
    pub clock: Held,
    pub app: App,
    target: Target,
    dir: TempDir,
    /// To be dropped with the world.
    database: Option<String>,
}

impl World {
    /// The database lies in memory where the system has a file system there: nothing here is about the disk.
    pub async fn new(on: On, seats: usize) -> Self {
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() {
            tempfile::tempdir_in(shm)
        } else {
            tempfile::tempdir()
        };
        let dir = dir.unwrap();
        let start = Timestamp::parse_rfc3339(OPENS).unwrap();
        let (target, database) = match on {
            On::Sqlite => {
                let t = Target::Sqlite(dir.path().join("cloud-booth.sqlite"));
                seed(&t, seats, start).await;
                (t, None)
            }
            On::Postgres => {
                // The random commands run on one number of seats: one template serves all.
                static TEMPLATE: OnceCell<(String, usize)> = OnceCell::const_new();
                let (template, of) = TEMPLATE
                    .get_or_init(|| async {
                        let url = services::create_database(None).await;
                        seed(&Target::Postgres(url.clone()), seats, start).await;
                        (url, seats)
                    })
                    .await;
                assert_eq!(*of, seats);
                let url = services::create_database(Some(template)).await;
                (Target::Postgres(url.clone()), Some(url))
            }
        };
        let clock = Held(Arc::new(AtomicI64::new(start.0)));
        let app = node(&target, &clock, dir.path()).await;
        Self {
            clock,
            app,
            target,
            dir,
            database,
        }
    }

    /// The node dies and is started again. What was on its way to the database before is there.
    pub async fn crash(&mut self) {
        settle(&self.app).await;
        if self.app.store.is_postgres() {
            self.app.store.close().await;
        }
        self.app = node(&self.target, &self.clock, self.dir.path()).await;
        nodes::release(&self.app, false).await.unwrap();
    }

    pub fn pass(&self, s: i64) {
        self.clock.reach(self.clock.peek() + Span::seconds(s));
    }

    pub async fn end(self) {
        self.app.store.close().await;
        drop(self.app);
        if let Some(url) = self.database {
            services::drop_database(&url).await;
        }
    }
}

/// Jobs that the writer holds already are done.
async fn settle(app: &App) {
    let nothing = app
        .store
        .write(|_| async { Ok::<_, StoreError>(()) }.boxed());
    nothing.await.unwrap();
}

async fn node(target: &Target, clock: &Held, dir: &Path) -> App {
    let id = NodeId::make(0, u128::from_le_bytes(signaling::app::vault::random()));
    let app = App::new(Parts {
        store: Store::open(target).await.unwrap(),
        clock: Box::new(clock.clone()),
        vault: Vault::from_master(&[7; 32]),
        bus: Bus::local(id.to_string()),
        media: MediaPlane::default(),
        public_url: "http://desk.test".into(),
        bridge_url: String::new(),
        files_dir: dir.join("files"),
        calendar: Calendar::vendored().clone(),
        papers: Papers::default(),
        county: County::default(),
        halls: Default::default(),
        checks: Default::default(),
        audit_tree: TreeCache::default(),
    });
    nodes::arrive(&app, "http://desk.test", true).await.unwrap();
    app
}

/// A caller with this idempotency key.
pub fn by(who: Principal, key: &str) -> Caller {
    Caller {
        who,
        key: Some(key.to_owned()),
        language: Language::Zh,
    }
}

pub fn agent(staff: &StaffId) -> Principal {
    Principal::Staff {
        id: staff.clone(),
        roles: vec![Role::Agent],
        hall: hall_id(),
        department: None,
    }
}
