//! The bridge as the page meets it: signatures that the server accepts, and who is turned away.
#![allow(clippy::unwrap_used)]

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use booth_client::{guard::Origins, host::Host, key, people, server};
use futures::StreamExt as _;
use http_body_util::BodyExt as _;
use protocol::{BoothLogin, CardRead, booth_login_bytes, card_read_bytes, verify_device};
use std::sync::Arc;
use tower::ServiceExt as _;

const PAGE: &str = "http://127.0.0.1:8080";
const OWN: &str = "http://127.0.0.1:8091";

fn booth() -> (Arc<Host>, Router, String) {
    let dir = tempfile::tempdir().unwrap();
    let device = key::generate(&dir.path().join("key")).unwrap();
    let public = device.public();
    let host = Host::simulated("booth-1".into(), device, people::load(None).unwrap());
    let app = server::router(host.clone(), Origins::new(PAGE, &[]).unwrap());
    (host, app, public)
}

async fn send(
    app: &Router,
    method: &str,
    path: &str,
    origin: Option<&str>,
    host: &str,
    body: &str,
) -> Response<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(origin) = origin {
        request = request.header(header::ORIGIN, origin);
    }
    app.clone()
        .oneshot(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .unwrap()
}
async fn page(app: &Router, method: &str, path: &str, body: &str) -> Response<Body> {
    send(app, method, path, Some(PAGE), "127.0.0.1:8091", body).await
}
async fn text(response: Response<Body>) -> String {
    String::from_utf8(
        response
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec(),
    )
    .unwrap()
}

/// The next event of this name; the test's own time limit ends a wait for one that never comes.
async fn next_event(stream: &mut axum::body::BodyDataStream, name: &str) -> String {
    let wait = async {
        loop {
            let chunk = String::from_utf8(stream.next().await.unwrap().unwrap().to_vec()).unwrap();
            if chunk.starts_with(&format!("event: {name}\n")) {
                return chunk
                    .lines()
                    .find_map(|l| l.strip_prefix("data: "))
                    .unwrap()
                    .to_owned();
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), wait)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_login_is_signed_over_the_server_nonce() {
    let (_, app, public) = booth();
    let nonce = "A".repeat(43);
    let answer = page(
        &app,
        "POST",
        "/v1/login",
        &format!("{{\"nonce\":\"{nonce}\"}}"),
    )
    .await;
    assert_eq!(answer.status(), StatusCode::OK);
    let login: BoothLogin = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(
        verify_device(
            &public,
            &booth_login_bytes("booth-1", &nonce),
            &login.signature
        ),
        Ok(())
    );
    for bad in ["", "a b", "a\\nb", &"x".repeat(129)] {
        let answer = page(
            &app,
            "POST",
            "/v1/login",
            &format!("{{\"nonce\":\"{bad}\"}}"),
        )
        .await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
    }
}

#[tokio::test]
async fn a_swipe_reaches_the_page_signed_when_it_asked() {
    let (host, app, public) = booth();
    let run = tokio::spawn(host.clone().run());
    let mut events = page(&app, "GET", "/v1/events", "")
        .await
        .into_body()
        .into_data_stream();
    assert!(
        next_event(&mut events, "status")
            .await
            .contains("\"card_reader\":\"ready\"")
    );

    assert_eq!(
        page(&app, "POST", "/v1/arm", "{\"nonce\":\"n1\"}")
            .await
            .status(),
        StatusCode::NO_CONTENT
    );
    assert!(host.is_armed());
    let swipe = || {
        send(
            &app,
            "POST",
            "/demo/swipe/liu-yang",
            Some(OWN),
            "127.0.0.1:8091",
            "",
        )
    };
    assert_eq!(swipe().await.status(), StatusCode::NO_CONTENT);
    let read: CardRead = serde_json::from_str(&next_event(&mut events, "card_read").await).unwrap();
    assert_eq!(
        (read.nonce.as_str(), read.name.as_str(), read.booth.as_str()),
        ("n1", "刘洋", "booth-1")
    );
    let message = card_read_bytes(
        &read.nonce,
        &read.name,
        &read.number,
        &read.read_at,
        &read.booth,
    );
    assert_eq!(verify_device(&public, &message, &read.signature), Ok(()));

    // Not asked: the page learns that a card is there, and nothing about whose.
    swipe().await;
    assert_eq!(next_event(&mut events, "card_present").await, "{}");
    // Asked within 10 s: the same card is signed over the new nonce.
    page(&app, "POST", "/v1/arm", "{\"nonce\":\"n2\"}").await;
    let read: CardRead = serde_json::from_str(&next_event(&mut events, "card_read").await).unwrap();
    assert_eq!(read.nonce, "n2");
    // Wiped: no card is left to answer.
    swipe().await;
    next_event(&mut events, "card_present").await;
    assert_eq!(
        page(&app, "POST", "/v1/wipe", "").await.status(),
        StatusCode::NO_CONTENT
    );
    page(&app, "POST", "/v1/arm", "{\"nonce\":\"n3\"}").await;
    assert!(host.is_armed(), "a wiped card must not answer");
    page(&app, "POST", "/v1/disarm", "").await;
    assert!(!host.is_armed());

    host.stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn other_pages_are_turned_away() {
    let (_, app, _) = booth();
    for (origin, host) in [
        (Some("https://evil.example"), "127.0.0.1:8091"),
        (Some("null"), "127.0.0.1:8091"),
        (Some(OWN), "127.0.0.1:8091"),
        (None, "127.0.0.1:8091"),
        (Some(PAGE), "evil.example:8091"),
    ] {
        for (method, path) in [
            ("GET", "/v1/status"),
            ("GET", "/v1/events"),
            ("POST", "/v1/login"),
            ("POST", "/v1/wipe"),
            ("OPTIONS", "/v1/login"),
        ] {
            if path == "/v1/status" && origin.is_none() {
                continue; // Without an origin the state of the devices may be asked: see below.
            }
            let answer = send(&app, method, path, origin, host, "{\"nonce\":\"n\"}").await;
            assert_eq!(
                answer.status(),
                StatusCode::FORBIDDEN,
                "{method} {path} {origin:?} {host}"
            );
            assert!(
                answer
                    .headers()
                    .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
                    .is_none()
            );
        }
    }
    let probe = send(&app, "GET", "/v1/status", None, "127.0.0.1:8091", "").await;
    assert_eq!(probe.status(), StatusCode::OK);
    assert!(
        probe
            .headers()
            .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)
            .is_none(),
        "no page may read it"
    );
    assert_eq!(
        send(&app, "GET", "/v1/status", None, "evil.example", "")
            .await
            .status(),
        StatusCode::FORBIDDEN
    );
    let preflight = page(&app, "OPTIONS", "/v1/login", "").await;
    assert_eq!(
        preflight.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN],
        PAGE
    );
    // The demo page's presses come from the demo page alone.
    let foreign = send(
        &app,
        "POST",
        "/demo/swipe/liu-yang",
        Some(PAGE),
        "127.0.0.1:8091",
        "",
    )
    .await;
    assert_eq!(foreign.status(), StatusCode::FORBIDDEN);
    let rebound = send(&app, "GET", "/demo/state", None, "evil.example", "").await;
    assert_eq!(rebound.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_reader_that_is_gone_says_so() {
    let (_, app, _) = booth();
    send(
        &app,
        "POST",
        "/demo/reader/absent",
        Some(OWN),
        "127.0.0.1:8091",
        "",
    )
    .await;
    assert!(
        text(page(&app, "GET", "/v1/status", "").await)
            .await
            .contains("\"absent\"")
    );
    assert_eq!(
        page(&app, "POST", "/v1/arm", "{\"nonce\":\"n\"}")
            .await
            .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        send(
            &app,
            "POST",
            "/demo/swipe/liu-yang",
            Some(OWN),
            "127.0.0.1:8091",
            ""
        )
        .await
        .status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert!(
        send(
            &app,
            "POST",
            "/demo/swipe/nobody",
            Some(OWN),
            "127.0.0.1:8091",
            ""
        )
        .await
        .status()
            == StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_demo_page_hides_numbers_and_says_what_it_is() {
    let (_, app, _) = booth();
    let get = |path| send(&app, "GET", path, None, "localhost:8091", "");
    let html = text(get("/").await).await;
    assert!(html.contains("模拟") && html.contains("Simulator"));
    let state = text(get("/demo/state").await).await;
    assert!(state.contains("刘洋") && !state.contains("430981199802279647"));
    assert!(
        get("/")
            .await
            .headers()
            .contains_key(header::CONTENT_SECURITY_POLICY)
    );
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    assert!(server::listen("0.0.0.0:0".parse().unwrap()).await.is_err());
    assert!(server::listen("127.0.0.1:0".parse().unwrap()).await.is_ok());
}
