//! Coming in: which hall, a visit, a number, as a phone's page does it; and going out of it.

use super::GOODBYE;
use crate::call::{
    Plan,
    http::{Api, Fault},
    report::Report,
};
use protocol::{Channel, Done as Empty, HallView, OpenVisit, TakeTicket, TicketView, VisitToken};
use serde::Deserialize;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant as Moment,
};
use tokio::time::timeout;

/// Opens a visit and takes a number, as a phone's page does.
pub(super) async fn arrive(
    plan: &Plan,
    api: Api,
    report: &mut Report,
    began: Moment,
) -> Result<(Api, String, TicketView), Fault> {
    let hall = match &plan.hall {
        Some(hall) => hall.clone(),
        None => only_hall(&api).await?,
    };
    report.hall = Some(hall.clone());
    let visit = OpenVisit {
        channel: Channel::Phone,
        hall,
        language: plan.language,
        elder: false,
    };
    let opened: VisitToken = api.post("/visits", &visit).await?;
    let api = api.with(opened.access_token);
    let wanted = TakeTicket {
        item: plan.item.clone(),
        needs: vec![],
        priority: false,
        mode: plan.mode,
    };
    match api.post::<TicketView>("/tickets", &wanted).await {
        Ok(ticket) => Ok((api, opened.visit.id, ticket)),
        Err(fault) => {
            report.times.ticket = Some(began.elapsed());
            let _ = timeout(GOODBYE, end_visit(&api, &opened.visit.id)).await;
            Err(fault)
        }
    }
}

pub(super) async fn end_visit(api: &Api, visit: &str) {
    let nothing = serde_json::json!({});
    let _ = api
        .post::<Empty>(&format!("/visits/{visit}/end"), &nothing)
        .await;
}

async fn only_hall(api: &Api) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Halls {
        items: Vec<HallView>,
    }
    let halls: Halls = api.get("/halls").await?;
    match halls.items.as_slice() {
        [one] => Ok(one.id.clone()),
        all => {
            let names: Vec<String> = all
                .iter()
                .map(|h| format!("{} {}", h.id, h.name.zh))
                .collect();
            Err(Fault::Strange(format!(
                "请用 --hall 指定大厅 · say which hall with --hall: {}",
                names.join(", ")
            )))
        }
    }
}

/// The address of this machine from which the server is reached; nothing is sent for it.
pub(super) async fn own_address(server: &str) -> IpAddr {
    let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let find = async {
        let url = reqwest::Url::parse(server).ok()?;
        let at = (url.host_str()?.to_owned(), url.port_or_known_default()?);
        let server = tokio::net::lookup_host(at)
            .await
            .ok()?
            .find(|a| a.is_ipv4())?;
        let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
        socket.connect(server).ok()?;
        socket.local_addr().ok().map(|a| a.ip())
    };
    find.await.unwrap_or(any)
}
