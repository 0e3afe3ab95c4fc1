//! A whole day after the fact: each ticket ended once, none is lost, and the order of service held at the moment of every
//! offer. The held clock gives each transaction a moment of its own, so the rows tell who waited when.

use domain::{id::TicketId, time::Timestamp};
use futures::FutureExt as _;
use signaling::app::App;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::{Row, StoreError, Tx, args};

struct Ticket {
    id: TicketId,
    /// Queue, needs, class.
    line: String,
    order: i64,
    came: Timestamp,
    ended: Option<Timestamp>,
    terminal: bool,
    next: Option<TicketId>,
}

struct Offer {
    ticket: TicketId,
    at: Timestamp,
    /// When it was decided, and whether for the ticket.
    decided: Option<Timestamp>,
    accepted: bool,
}

async fn tickets(tx: &mut Tx) -> Result<Vec<Ticket>, StoreError> {
    let row = |r: &Row| {
        let state = r.text("state")?;
        Ok(Ticket {
            id: r.id("id")?,
            line: format!(
                "{} {} {}",
                r.text("skill")?,
                r.text("needs")?,
                r.int("class")?
            ),
            order: r.int("order_at")?,
            came: r.time("enqueued_at")?,
            ended: r.opt_time("ended_at")?,
            terminal: matches!(
                state.as_str(),
                "closed" | "abandoned" | "expired" | "called_back"
            ),
            next: r.opt_id("next_ticket")?,
        })
    };
    tx.all("SELECT * FROM tickets", args![], row).await
}

async fn offers(tx: &mut Tx) -> Result<Vec<Offer>, StoreError> {
    let row = |r: &Row| {
        Ok(Offer {
            ticket: r.id("ticket_id")?,
            at: r.time("offered_at")?,
            decided: r.opt_time("decided_at")?,
            accepted: matches!(r.text("state")?.as_str(), "accepted" | "ended"),
        })
    };
    tx.all("SELECT * FROM pairings", args![], row).await
}

/// `taken`: what citizens were told that they have.
pub async fn check(app: &App, taken: &BTreeSet<String>) -> Result<(), String> {
    let read = app
        .store
        .read(|tx| async move { Ok((tickets(tx).await?, offers(tx).await?)) }.boxed());
    let (tickets, offers) = read.await.map_err(|e: StoreError| e.to_string())?;
    let by_id: HashMap<&TicketId, &Ticket> = tickets.iter().map(|t| (&t.id, t)).collect();
    let known: BTreeSet<String> = tickets.iter().map(|t| t.id.to_string()).collect();
    if let Some(lost) = taken.difference(&known).next() {
        return Err(format!("{lost} was taken and is lost"));
    }
    let mut again: HashMap<&TicketId, &TicketId> = HashMap::new();
    for t in &tickets {
        if !t.terminal || t.ended.is_none() {
            return Err(format!("{} never ended", t.id));
        }
        if let Some(n) = &t.next
            && (!by_id.contains_key(n) || again.insert(n, &t.id).is_some())
        {
            return Err(format!("{} goes on as {n}, which is lost or twice", t.id));
        }
    }
    // Nobody has a ticket that nobody took.
    let born = taken.len() + again.len();
    if born != tickets.len() {
        return Err(format!("{born} tickets came, {} rows", tickets.len()));
    }
    let mut served: HashMap<&TicketId, usize> = HashMap::new();
    for o in offers.iter().filter(|o| o.accepted) {
        *served.entry(&o.ticket).or_default() += 1;
    }
    if let Some((id, n)) = served.iter().find(|(_, n)| **n > 1) {
        return Err(format!("{id} was served {n} times"));
    }
    order(&tickets, &offers, &again)
}

/// Plays the rows in the order of time: at an offer, nobody of the same line and class who came earlier may be waiting on.
fn order(
    tickets: &[Ticket],
    offers: &[Offer],
    again: &HashMap<&TicketId, &TicketId>,
) -> Result<(), String> {
    // At one moment whoever comes or comes back is in line first, then the offers take theirs out, then they are judged.
    const IN: u8 = 0;
    const OUT: u8 = 1;
    const OFFER: u8 = 2;
    let by_id: HashMap<&TicketId, &Ticket> = tickets.iter().map(|t| (&t.id, t)).collect();
    let mut moments: Vec<(Timestamp, u8, &TicketId)> = vec![];
    for t in tickets {
        // One in another's place stands in line from that one's end, however early its time.
        let from = again
            .get(&t.id)
            .and_then(|old| by_id[*old].ended)
            .unwrap_or(t.came);
        moments.push((from, IN, &t.id));
        moments.push((t.ended.unwrap_or(t.came), OUT, &t.id));
    }
    for o in offers {
        moments.push((o.at, OUT, &o.ticket));
        moments.push((o.at, OFFER, &o.ticket));
        if let Some(d) = o.decided.filter(|_| !o.accepted) {
            moments.push((d, IN, &o.ticket));
        }
    }
    moments.sort();
    let mut lines: BTreeMap<&str, BTreeSet<(i64, &TicketId)>> = BTreeMap::new();
    for (at, what, id) in moments {
        let t = by_id[id];
        let line = lines.entry(&t.line).or_default();
        match what {
            IN if t.ended.is_none_or(|e| at < e) => {
                line.insert((t.order, id));
            }
            OUT => {
                line.remove(&(t.order, id));
            }
            OFFER => {
                if let Some((_, first)) = line.first().filter(|f| **f < (t.order, id)) {
                    return Err(format!(
                        "{id} was offered at {} before {first}",
                        at.rfc3339()
                    ));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
