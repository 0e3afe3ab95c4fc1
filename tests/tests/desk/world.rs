//! Two halls with their seats, queues and rules, and the server's `App` on a clock that the test holds. Citizens come to the
//! first hall; the one next door may serve them, too, while it consents.
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
use serde_json::json;
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
use store::{Store, StoreError, Target, appointment, catalogue, hall, queue, seat, staff};
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

/// Seats and staff of the hall next door are numbered from here.
pub const NEXT_DOOR: usize = 1000;
pub const NEIGHBOURS: usize = 2;
/// What can be booked, and how many at a time; slots of five minutes all day.
pub const SLOTS: [(&str, u32); 2] = [("tax", 1), ("general", 2)];
pub const SLOT_S: i64 = 300;

pub fn hall_id() -> HallId {
    HallId::make(0, 1)
}
pub fn next_door() -> HallId {
    HallId::make(0, 2)
}
pub fn seat_id(n: usize) -> SeatId {
    SeatId::make(0, 1000 + n as u128)
}
pub fn staff_id(n: usize) -> StaffId {
    StaffId::make(0, 1000 + n as u128)
}

fn hall_of(staff: &StaffId) -> HallId {
    let there = (NEXT_DOOR..NEXT_DOOR + NEIGHBOURS).any(|n| staff_id(n) == *staff);
    if there || *staff == supervisor_id(&next_door()) {
        next_door()
    } else {
        hall_id()
    }
}
fn supervisor_id(hall: &HallId) -> StaffId {
    StaffId::make(0, if *hall == hall_id() { 1 } else { 2 })
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

/// Tax wants masters at first, but whoever served the citizen last before; slow speech is waited for two minutes, and by then
/// the hall next door may serve; police never relaxes.
fn rules() -> [(&'static str, &'static str); 2] {
    [
        (
            "general",
            r#"{"required":[{"code":"general","level":1}],"steps":[{"after_s":120,"drop":["need:slow_speech"],"overflow":"NEXT"}]}"#,
        ),
        (
            "tax",
            r#"{"required":[{"code":"tax","level":3}],"prefer":{"last_agent_s":20},"steps":[{"after_s":45,"min_level":2},{"after_s":90,"min_level":1,"drop":["need:slow_speech"]}]}"#,
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

fn person(id: StaffId, name: &str, role: &str, skills: staff::Skills) -> staff::Staff {
    staff::Staff {
        hall_id: hall_of(&id),
        id,
        account: format!("account-{name}"),
        name: format!("员{name}"),
        number_index: format!("index-{name}"),
        password_hash: String::new(),
        totp_enc: None,
        roles: vec![role.into()],
        department: None,
        skills,
        active: true,
        failures: 0,
        locked_until: None,
    }
}

async fn seed(target: &Target, seats: usize, now: Timestamp) {
    let store = Store::open(target).await.unwrap();
    let items = items();
    let done = store.write(move |tx| {
        let items = items.clone();
        async move {
            for id in [hall_id(), next_door()] {
                let h = hall::Hall {
                    id,
                    name_zh: "大厅".into(),
                    name_en: "Hall".into(),
                    opens: "00:00".into(),
                    closes: "23:59".into(),
                    telephone: String::new(),
                    address_zh: String::new(),
                    address_en: String::new(),
                };
                hall::upsert(tx, &h).await?;
            }
            hall::set_accepts(tx, &next_door(), &hall_id(), true).await?;
            for code in ["general", "tax", "police", "need:slow_speech"] {
                let skill = hall::Named {
                    code: code.into(),
                    zh: code.into(),
                    en: code.into(),
                };
                hall::upsert_skill(tx, &skill).await?;
            }
            for (code, rule) in rules() {
                let rule = rule.replace("NEXT", next_door().as_str());
                queue::save(tx, &hall_id(), code, &rule, 0).await?;
            }
            for (queue, capacity) in SLOTS {
                let rule = json!({
                    "hours": [{"days": "all", "from": "00:00", "to": "24:00"}],
                    "slot_minutes": SLOT_S / 60,
                    "capacity": capacity,
                });
                appointment::save_rule(tx, &hall_id(), queue, &rule.to_string(), 0).await?;
            }
            for (id, doc) in &items {
                catalogue::put(tx, id, 1, doc).await?;
                catalogue::publish(tx, id, 1, now).await?;
            }
            for n in (0..seats).chain(NEXT_DOOR..NEXT_DOOR + NEIGHBOURS) {
                let id = staff_id(n);
                let hall = hall_of(&id);
                staff::upsert(tx, &person(id, &n.to_string(), "agent", skills(n))).await?;
                let (zh, en) = (format!("{n}号席"), format!("Seat {n}"));
                seat::upsert(tx, &seat_id(n), &hall, &zh, &en, now).await?;
            }
            for hall in [hall_id(), next_door()] {
                let id = supervisor_id(&hall);
                let name = format!("s{hall}");
                let s = person(id, &name, "supervisor", staff::Skills::default());
                staff::upsert(tx, &s).await?;
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
        recordings_dir: dir.join("recordings"),
        calendar: Calendar::vendored().clone(),
        papers: Papers::default(),
        county: County::default(),
        halls: Default::default(),
        checks: Default::default(),
        reach: Default::default(),
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
        hall: hall_of(staff),
        department: None,
    }
}

/// The supervisor of a hall.
pub fn supervisor(hall: &HallId) -> Principal {
    Principal::Staff {
        id: supervisor_id(hall),
        roles: vec![Role::Supervisor],
        hall: hall.clone(),
        department: None,
    }
}
