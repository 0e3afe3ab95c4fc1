//! What an administrator sees: read only.

use super::{App, audit_log, auth, catalogue, desk};
use crate::problem::AppError;
use protocol::{AdminOverview, AuditList, AuditView};
use store::{audit, booth, hall, staff};

pub async fn overview(app: &App) -> Result<AdminOverview, AppError> {
    let items = catalogue::list(app, None).await?.items;
    let head = audit_log::head(app).await?;
    let halls = app
        .read(|tx| Box::pin(async move { Ok(hall::all(tx).await?) }))
        .await?;
    let mut seats = vec![];
    for h in halls {
        seats.extend(desk::list(app, h.id).await?);
    }
    app.read(|tx| {
        Box::pin(async move {
            Ok(AdminOverview {
                staff: staff::all(tx).await?.iter().map(auth::staff_view).collect(),
                seats,
                booths: booth::all(tx).await?.iter().map(auth::booth_view).collect(),
                items,
                audit: head,
            })
        })
    })
    .await
}

pub async fn audit(app: &App, object: &str) -> Result<AuditList, AppError> {
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
