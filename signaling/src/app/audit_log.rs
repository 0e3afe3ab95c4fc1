//! The audit log as a signed Merkle tree (RFC 6962): numbering, checkpoints, proof that nothing was changed.
//!
//! Owns what exactly a leaf covers. Entries come in with the transactions that they tell of; one leased sequencer numbers them, so
//! that no commit waits for a chain. The same one numbers the outbox's messages, and hands its notices to the in-app channel.
//! Never holds personal data.

use super::App;
use crate::problem::{AppError, no};
use domain::{
    audit::{Tree, hex, leaf},
    digest::canonical,
    id::Id as _,
    limits,
    time::Span,
};
use protocol::{AuditHead, AuditList, AuditView};
use serde::Serialize;
use serde_json::json;
use store::{Tx, audit, lease, outbox};
use tokio::sync::Mutex;

const LEASE: &str = "sequencer";
/// Longer than a batch takes, short enough for another node to take over within the merge delay's order.
const LEASE_LIFE: Span = Span::seconds(10);
/// Batches of one call: a backlog is worked off over several.
const ROUNDS: usize = 8;

/// The tree as this node last left it; rebuilt from the rows when another node was at work meanwhile.
#[derive(Default)]
pub struct TreeCache(Mutex<Tree>);

/// What `cloud-booth audit verify` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Numbered entries that were read.
    pub size: i64,
    pub root: String,
    pub checkpoints: usize,
    /// Entries not yet numbered.
    pub pending: i64,
    /// Nothing: the log is whole.
    pub bad: Option<Bad>,
}

impl Report {
    #[must_use]
    pub const fn ok(&self) -> bool {
        self.bad.is_none()
    }
}

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bad {
    /// Number of the entry, or the size of the checkpoint.
    pub seq: i64,
    /// `missing`, `changed`, `checkpoint_root`, `checkpoint_signature`.
    pub what: &'static str,
    /// Its id, where there is one.
    pub entry: Option<String>,
}

/// RFC 8785 form of an entry under its number: what a leaf covers.
fn leaf_bytes(e: &audit::Entry, seq: i64) -> Result<Vec<u8>, AppError> {
    let value = json!({"seq": seq, "id": e.id.as_str(), "at": e.at.micros(), "actor": e.actor, "action": e.action, "object": e.object, "detail": e.detail});
    canonical(&value).map_err(Into::into)
}

fn leaf_of(e: &audit::Entry, seq: i64) -> Result<[u8; 32], AppError> {
    leaf_bytes(e, seq).map(|b| leaf(&b))
}

fn signature(app: &App, size: i64, root: &str, at: i64) -> String {
    hex(&app
        .vault
        .audit_mac(format!("{size}\n{root}\n{at}").as_bytes()))
}

fn size_of(t: &Tree) -> i64 {
    i64::try_from(t.size()).unwrap_or(i64::MAX)
}

fn unhex(s: &str) -> Option<[u8; 32]> {
    let mut out = [0u8; 32];
    if s.len() != 64 || !s.is_ascii() {
        return None;
    }
    for (i, b) in out.iter_mut().enumerate() {
        *b = u8::from_str_radix(&s[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(out)
}

/// Reads the numbered entries' leaves as they stand in the rows.
async fn rebuild(tx: &mut Tx, upto: i64) -> Result<Tree, AppError> {
    let mut tree = Tree::default();
    while size_of(&tree) < upto {
        let page = audit::page(tx, size_of(&tree), limits::PAGE_MAX).await?;
        if page.is_empty() {
            tracing::error!(
                have = size_of(&tree),
                want = upto,
                "audit entries are missing"
            );
            return Err(no("internal"));
        }
        for e in page {
            tree.push(
                e.leaf
                    .as_deref()
                    .and_then(unhex)
                    .ok_or_else(|| no("internal"))?,
            );
        }
    }
    Ok(tree)
}

/// Numbers what has come in, extends the tree, signs a checkpoint; numbers messages and hands out notices. On one node at a time.
pub async fn sequence(app: &App) -> Result<(), AppError> {
    for _ in 0..ROUNDS {
        if batch(app).await? == 0 {
            break;
        }
    }
    deliver(app).await
}

async fn batch(app: &App) -> Result<usize, AppError> {
    // Two calls of one node would fight over the same numbers.
    let mut cached = app.audit_tree.0.lock().await;
    // Most seconds bring nothing: a reading costs no write lock.
    let idle = app
        .read(|tx| {
            Box::pin(async move {
                Ok(audit::unsequenced(tx).await?.is_empty()
                    && outbox::unsequenced(tx).await?.is_empty())
            })
        })
        .await?;
    if idle {
        return Ok(0);
    }
    let start = cached.clone();
    let node = app.bus.node().to_owned();
    let (tree, n) = app
        .write("server", move |tx, w| {
            let (node, start) = (node.clone(), start.clone());
            Box::pin(async move {
                if lease::take(tx, LEASE, &node, w.now, LEASE_LIFE)
                    .await?
                    .is_none()
                {
                    return Ok((start, 0));
                }
                let sent = number_messages(tx).await?;
                // Read under the lease: nobody else gives numbers now.
                let fresh = audit::unsequenced(tx).await?;
                if fresh.is_empty() {
                    return Ok((start, sent));
                }
                let next = audit::next_seq(tx).await?;
                let mut tree = if size_of(&start) == next {
                    start
                } else {
                    rebuild(tx, next).await?
                };
                for e in &fresh {
                    let seq = size_of(&tree);
                    let l = leaf_of(e, seq)?;
                    if !audit::number(tx, &e.id, seq, &hex(&l)).await? {
                        // Another holder of the lease was here: its numbers stand, ours are undone.
                        return Err(store::StoreError::Retry.into());
                    }
                    tree.push(l);
                }
                let (size, root) = (size_of(&tree), hex(&tree.root()));
                let signature = signature(&w.app, size, &root, w.now.micros());
                audit::insert_checkpoint(
                    tx,
                    &audit::Checkpoint {
                        size,
                        root,
                        at: w.now,
                        signature,
                    },
                )
                .await?;
                Ok((tree, fresh.len().max(sent)))
            })
        })
        .await?;
    *cached = tree;
    Ok(n)
}

/// Gives the messages that have come in the next numbers; how many.
async fn number_messages(tx: &mut Tx) -> Result<usize, AppError> {
    let fresh = outbox::unsequenced(tx).await?;
    if fresh.is_empty() {
        return Ok(0);
    }
    let next = outbox::next_seq(tx).await?;
    for (seq, m) in (next..).zip(&fresh) {
        if !outbox::number(tx, &m.id, seq).await? {
            return Err(store::StoreError::Retry.into());
        }
    }
    Ok(fresh.len())
}

/// Notices to citizens and staff are read in the pages: once written they are there, so the in-app channel has them at once.
async fn deliver(app: &App) -> Result<(), AppError> {
    let now = app.now();
    if app
        .read(move |tx| Box::pin(async move { Ok(outbox::due(tx, now).await?.is_empty()) }))
        .await?
    {
        return Ok(());
    }
    app.write("server", |tx, w| {
        Box::pin(async move {
            for m in outbox::due(tx, w.now).await? {
                outbox::delivered(tx, &m.id, w.now).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Recomputes every leaf and every checkpoint and names the first that does not fit.
pub async fn verify(app: &App) -> Result<Report, AppError> {
    let a = app.clone();
    app.read(|tx| {
        Box::pin(async move {
            let checkpoints = audit::checkpoints(tx).await?;
            let pending = pending(tx).await?;
            let mut ahead = checkpoints.iter().peekable();
            let mut tree = Tree::default();
            let mut bad = None;
            'all: loop {
                let page = audit::page(tx, size_of(&tree), limits::PAGE_MAX).await?;
                if page.is_empty() {
                    break;
                }
                for e in page {
                    let seq = size_of(&tree);
                    if e.seq != Some(seq) {
                        bad = Some(Bad {
                            seq,
                            what: "missing",
                            entry: None,
                        });
                        break 'all;
                    }
                    let l = leaf_of(&e, seq)?;
                    if e.leaf.as_deref() != Some(hex(&l).as_str()) {
                        bad = Some(Bad {
                            seq,
                            what: "changed",
                            entry: Some(e.id.to_string()),
                        });
                        break 'all;
                    }
                    tree.push(l);
                    if let Some(c) = ahead.next_if(|c| c.size == size_of(&tree)) {
                        bad = checkpoint(&a, c, &tree);
                        if bad.is_some() {
                            break 'all;
                        }
                    }
                }
            }
            // A checkpoint beyond the last entry: its entries were cut off.
            if bad.is_none()
                && let Some(c) = ahead.next()
            {
                bad = Some(Bad {
                    seq: size_of(&tree),
                    what: if c.size > size_of(&tree) {
                        "missing"
                    } else {
                        "checkpoint_root"
                    },
                    entry: None,
                });
            }
            Ok(Report {
                size: size_of(&tree),
                root: hex(&tree.root()),
                checkpoints: checkpoints.len(),
                pending,
                bad,
            })
        })
    })
    .await
}

fn checkpoint(app: &App, c: &audit::Checkpoint, tree: &Tree) -> Option<Bad> {
    let what = if c.root != hex(&tree.root()) {
        "checkpoint_root"
    } else if c.signature != signature(app, c.size, &c.root, c.at.micros()) {
        "checkpoint_signature"
    } else {
        return None;
    };
    Some(Bad {
        seq: c.size,
        what,
        entry: None,
    })
}

/// Entries without a number, as far as one reading sees them.
async fn pending(tx: &mut Tx) -> Result<i64, AppError> {
    Ok(i64::try_from(audit::unsequenced(tx).await?.len()).unwrap_or(i64::MAX))
}

/// The newest signed checkpoint.
pub async fn head(app: &App) -> Result<AuditHead, AppError> {
    app.read(|tx| {
        Box::pin(async move {
            let pending = pending(tx).await?;
            let newest = audit::checkpoints(tx).await?.pop();
            Ok(match newest {
                Some(c) => AuditHead {
                    size: c.size,
                    root: c.root,
                    signed_at: Some(c.at.rfc3339()),
                    pending,
                },
                None => AuditHead {
                    size: 0,
                    root: hex(&Tree::default().root()),
                    signed_at: None,
                    pending,
                },
            })
        })
    })
    .await
}

/// Entries about one object, oldest first.
pub async fn of_object(app: &App, object: &str) -> Result<AuditList, AppError> {
    let object = object.to_owned();
    app.read(|tx| {
        Box::pin(async move {
            let rows = audit::of_object(tx, &object).await?;
            let items = rows
                .into_iter()
                .map(|e| AuditView {
                    seq: e.seq,
                    at: e.at.rfc3339(),
                    actor: e.actor,
                    action: e.action,
                    object: e.object,
                })
                .collect();
            Ok(AuditList { items })
        })
    })
    .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use domain::{id::AuditId, time::Timestamp};

    #[test]
    fn every_part_of_an_entry_counts() {
        let e = audit::Entry {
            id: AuditId::make(1, 1),
            at: Timestamp(5),
            actor: "stf_a".into(),
            action: "case.grant".into(),
            object: "cas_a".into(),
            detail: "{}".into(),
            seq: None,
            leaf: None,
        };
        let base = leaf_of(&e, 0).unwrap();
        assert_eq!(unhex(&hex(&base)), Some(base));
        let others = [
            leaf_of(&e, 1),
            leaf_of(
                &audit::Entry {
                    at: Timestamp(6),
                    ..e.clone()
                },
                0,
            ),
            leaf_of(
                &audit::Entry {
                    actor: "stf_b".into(),
                    ..e.clone()
                },
                0,
            ),
            leaf_of(
                &audit::Entry {
                    action: "case.refuse".into(),
                    ..e.clone()
                },
                0,
            ),
            leaf_of(
                &audit::Entry {
                    object: "cas_b".into(),
                    ..e.clone()
                },
                0,
            ),
            leaf_of(
                &audit::Entry {
                    detail: "[]".into(),
                    ..e.clone()
                },
                0,
            ),
        ];
        assert!(others.into_iter().all(|l| l.unwrap() != base));
    }
}
