//! Who watches what on this node. A wake-up only marks a topic; the connection reads the rows itself, so a slow reader
//! costs one mark a topic, never a queue.

use super::Live;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{Notify, mpsc, watch};

/// Ephemeral frames waiting for one connection; more are dropped.
const LIVE_QUEUE: usize = 64;
/// A hall's queue moves often: its watchers look at most this often.
const HALL_PERIOD: Duration = Duration::from_millis(700);
/// The watchers of a hall look one part after another: all at once would make an offer wait behind hundreds of glances.
const PARTS: u32 = 14;
const ALL_PARTS: u16 = (1 << PARTS) - 1;
/// At a stop the connections have this long to note what the others must know.
const LEAVE_WITHIN: Duration = Duration::from_secs(5);

/// What a connection's actor waits for.
pub enum Signal {
    /// These topics changed.
    Dirty(HashSet<String>),
    Live(Box<Live>),
    /// The server stops.
    Stop,
}

#[derive(Default)]
struct Marks {
    topics: Mutex<HashSet<String>>,
    notify: Notify,
}

/// One connection's end of the hub; leaving is dropping it.
pub struct Connection {
    id: String,
    marks: Arc<Marks>,
    /// Boxed: the channel sets room for 32 messages aside at once.
    live: mpsc::Receiver<Box<Live>>,
    live_tx: mpsc::Sender<Box<Live>>,
    hub: Hub,
    watched: HashSet<String>,
    stop: watch::Receiver<bool>,
}

#[derive(Clone)]
struct Watcher {
    marks: Arc<Marks>,
    live: mpsc::Sender<Box<Live>>,
}

#[derive(Clone)]
pub struct Hub(Arc<Inner>);

#[derive(Default)]
struct Inner {
    watchers: Mutex<HashMap<String, HashMap<String, Watcher>>>,
    /// How often each hall changed, as far as this node heard.
    versions: Mutex<HashMap<String, u64>>,
    /// Halls that changed, and which parts of their watchers have not been told.
    halls: Mutex<HashMap<String, u16>>,
    stop: watch::Sender<bool>,
}

/// Connection ids are random, so any fold spreads them.
fn part_of(id: &str) -> u32 {
    id.bytes().fold(0, |a, b| a + u32::from(b)) % PARTS
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    pub(super) fn new() -> Self {
        let hub = Self(Arc::default());
        let weak = Arc::downgrade(&hub.0);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(HALL_PERIOD / PARTS);
            for part in (0..PARTS).cycle() {
                tick.tick().await;
                let Some(inner) = weak.upgrade() else { break };
                let mut due = vec![];
                lock(&inner.halls).retain(|hall, untold| {
                    if *untold & (1 << part) != 0 {
                        due.push(hall.clone());
                    }
                    *untold &= !(1 << part);
                    *untold != 0
                });
                let hub = Self(inner);
                for h in due {
                    hub.mark(&h, Some(part));
                }
            }
        });
        hub
    }

    #[must_use]
    pub fn connect(&self, id: String) -> Connection {
        let (live_tx, live) = mpsc::channel(LIVE_QUEUE);
        Connection {
            id,
            marks: Arc::default(),
            live,
            live_tx,
            hub: self.clone(),
            watched: HashSet::new(),
            stop: self.0.stop.subscribe(),
        }
    }

    /// Tells every connection to end and waits, not for ever, until they have left.
    pub async fn shut(&self) {
        self.0.stop.send_replace(true);
        if tokio::time::timeout(LEAVE_WITHIN, self.0.stop.closed())
            .await
            .is_err()
        {
            tracing::warn!("some connections did not leave in time");
        }
    }

    /// Topics that someone on this node watches: what the slow poll looks at.
    #[must_use]
    pub fn topics(&self) -> Vec<String> {
        lock(&self.0.watchers).keys().cloned().collect()
    }

    /// Counts the hall's changes that this node knows of.
    #[must_use]
    pub fn version(&self, hall: &domain::id::HallId) -> u64 {
        lock(&self.0.versions)
            .get(domain::id::Id::as_str(hall))
            .copied()
            .unwrap_or(0)
    }

    pub(super) fn wake(&self, topic: &str) {
        if topic.starts_with("hal_") {
            *lock(&self.0.versions).entry(topic.to_owned()).or_default() += 1;
            lock(&self.0.halls).insert(topic.to_owned(), ALL_PARTS);
        } else {
            self.mark(topic, None);
        }
    }

    /// As if every watched topic had changed.
    pub fn wake_everything(&self) {
        for t in self.topics() {
            self.mark(&t, None);
        }
    }

    fn mark(&self, topic: &str, part: Option<u32>) {
        let watchers = lock(&self.0.watchers);
        for (id, w) in watchers.get(topic).into_iter().flatten() {
            if part.is_some_and(|p| part_of(id) != p) {
                continue;
            }
            lock(&w.marks.topics).insert(topic.to_owned());
            w.marks.notify.notify_one();
        }
    }

    pub(super) fn live(&self, topic: &str, message: &Live) {
        let watchers = lock(&self.0.watchers);
        for w in watchers.get(topic).into_iter().flat_map(HashMap::values) {
            // Full: a hint is lost, nothing else.
            let _ = w.live.try_send(Box::new(message.clone()));
        }
    }
}

impl Connection {
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Watches, and looks once at what is there now.
    pub fn watch(&mut self, topic: &str) {
        self.watch_quietly(topic);
        lock(&self.marks.topics).insert(topic.to_owned());
        self.marks.notify.notify_one();
    }

    /// Watches from the next change on.
    pub fn watch_quietly(&mut self, topic: &str) {
        if self.watched.insert(topic.to_owned()) {
            let w = Watcher {
                marks: self.marks.clone(),
                live: self.live_tx.clone(),
            };
            lock(&self.hub.0.watchers)
                .entry(topic.to_owned())
                .or_default()
                .insert(self.id.clone(), w);
        }
    }

    pub fn unwatch(&mut self, topic: &str) {
        if self.watched.remove(topic) {
            self.hub.forget(topic, &self.id);
        }
    }

    pub async fn next(&mut self) -> Signal {
        loop {
            if *self.stop.borrow() {
                return Signal::Stop;
            }
            let dirty = std::mem::take(&mut *lock(&self.marks.topics));
            if !dirty.is_empty() {
                return Signal::Dirty(dirty);
            }
            tokio::select! {
                () = self.marks.notify.notified() => {}
                Some(m) = self.live.recv() => return Signal::Live(m),
                _ = self.stop.changed() => return Signal::Stop,
            }
        }
    }
}

impl Hub {
    fn forget(&self, topic: &str, id: &str) {
        let mut all = lock(&self.0.watchers);
        if let Some(w) = all.get_mut(topic) {
            w.remove(id);
            if w.is_empty() {
                all.remove(topic);
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for t in &self.watched {
            self.hub.forget(t, &self.id);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn many_wakes_are_one_mark_and_a_dropped_connection_is_forgotten() {
        let hub = Hub::new();
        let mut c = hub.connect("c1".into());
        c.watch("tkt_a");
        assert!(matches!(c.next().await, Signal::Dirty(d) if d.len() == 1));
        for _ in 0..1000 {
            hub.wake("tkt_a");
        }
        hub.wake("tkt_b");
        assert!(matches!(c.next().await, Signal::Dirty(d) if d.len() == 1));
        drop(c);
        assert!(hub.topics().is_empty());
    }

    #[tokio::test]
    async fn a_stop_reaches_every_connection_and_waits_for_it_to_leave() {
        let hub = Hub::new();
        let mut c = hub.connect("c1".into());
        let leaves = tokio::spawn(async move { matches!(c.next().await, Signal::Stop) });
        hub.shut().await;
        assert!(leaves.is_finished() && leaves.await.unwrap());
        // Who comes too late is told as well.
        assert!(matches!(
            hub.connect("c2".into()).next().await,
            Signal::Stop
        ));
    }
}
