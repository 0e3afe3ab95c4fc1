//! From a seat's "ready" to its ring while a long line waits: one seat declines each offer, so that the line stays as long,
//! and is ready again.

use crate::{api::Api, seed, wire::Wire};
use anyhow::{Context as _, Result, bail};
use protocol::{ClientFrame, ServerFrame};
use std::time::{Duration, Instant};

/// A ring that takes longer is an error, not a sample.
const RING_WITHIN: Duration = Duration::from_secs(10);

/// Until the server has seen that every page is gone.
pub async fn nobody_on_duty(api: &Api) -> Result<()> {
    let hall = seed::hall_id().to_string();
    let end = Instant::now() + Duration::from_secs(60);
    while api.hall(&hall).await?.seats_on_duty > 0 {
        if Instant::now() > end {
            bail!("seats are still on duty");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// The next offer that this page is shown, and when.
async fn offer(wire: &mut Wire, last: &str) -> Result<(String, Instant)> {
    let shown = async {
        loop {
            if let ServerFrame::Seat { seat } = wire.next().await?
                && let Some(o) = seat.offer.filter(|o| o.pairing != last)
            {
                return anyhow::Ok((o.pairing, Instant::now()));
            }
        }
    };
    tokio::time::timeout(RING_WITHIN, shown)
        .await
        .context("nobody rang")?
}

/// Milliseconds from the command to the offer's frame, `n` times, and how often that failed.
pub async fn measure(api: &Api, n: usize) -> Result<(Vec<f64>, usize)> {
    let token = api
        .login(seed::account(0), seed::PASSWORD)
        .await?
        .access_token;
    let seat = seed::seat_id(0).to_string();
    api.open_seat(&token, &seat, seed::SKILL).await?;
    let mut wire = Wire::connect(api, &token).await?;
    wire.send(&ClientFrame::WatchSeat { seat: seat.clone() })
        .await?;
    // The first ring belongs to no command.
    let (mut pairing, _) = offer(&mut wire, "").await?;
    let (mut ms, mut errors) = (Vec::with_capacity(n), 0);
    for _ in 0..n {
        api.decline(&token, &pairing).await?;
        let sent = Instant::now();
        let (ready, rung) = tokio::join!(api.ready(&token, &seat), offer(&mut wire, &pairing));
        let (next, at) = rung?;
        errors += usize::from(ready.is_err());
        ms.push(at.saturating_duration_since(sent).as_secs_f64() * 1000.0);
        pairing = next;
    }
    Ok((ms, errors))
}
