//! Who may knock. The host listens on loopback, but every page of every site in the booth's browser could reach it there:
//! the `Host` must name loopback (a rebound DNS name does not), and the `Origin` must be the server's page (for the bridge)
//! or the host's own page (for the demo). Requests without an `Origin` are refused, for they are not our page's; only the
//! state of the devices may be asked without one (by the keeper's tools: a foreign page cannot read the answer).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// Which origins may use the bridge.
#[derive(Debug, Clone)]
pub struct Origins(Vec<String>);

impl Origins {
    /// The server's origin, and more for development. A loopback server is known by both of its names.
    pub fn new(server: &str, more: &[String]) -> Result<Self, String> {
        let mut all = Vec::new();
        for url in std::iter::once(server).chain(more.iter().map(String::as_str)) {
            let origin = origin_of(url).ok_or_else(|| format!("not an http(s) address: {url}"))?;
            for (a, b) in [
                ("//127.0.0.1", "//localhost"),
                ("//localhost", "//127.0.0.1"),
            ] {
                if let Some((scheme, rest)) = origin
                    .split_once(a)
                    .filter(|(_, rest)| rest.is_empty() || rest.starts_with(':'))
                {
                    all.push(format!("{scheme}{b}{rest}"));
                }
            }
            all.push(origin);
        }
        Ok(Self(all))
    }
    fn allows(&self, origin: &HeaderValue) -> bool {
        origin.to_str().is_ok_and(|o| self.0.iter().any(|a| a == o))
    }
}

/// `https://host[:port]` of an address, as a browser writes it in `Origin`.
#[must_use]
pub fn origin_of(url: &str) -> Option<String> {
    let uri: axum::http::Uri = url.parse().ok()?;
    let scheme = uri
        .scheme_str()
        .filter(|s| matches!(*s, "http" | "https"))?;
    let host = uri.host()?.to_ascii_lowercase();
    let port = uri
        .port_u16()
        .filter(|p| *p != if scheme == "http" { 80 } else { 443 });
    Some(port.map_or_else(
        || format!("{scheme}://{host}"),
        |p| format!("{scheme}://{host}:{p}"),
    ))
}

/// `Host` names this machine by a loopback name: anything else is another site's name rebound to 127.0.0.1.
fn is_loopback_host(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|h| h.to_str().ok()) else {
        return false;
    };
    let name = host
        .rsplit_once(':')
        .filter(|(_, p)| p.bytes().all(|b| b.is_ascii_digit()))
        .map_or(host, |(n, _)| n);
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

fn refuse(code: &str) -> Response {
    crate::bridge::problem(StatusCode::FORBIDDEN, code)
}

/// For `/v1/*`: the server's page alone, with the CORS answers it needs.
pub async fn bridge(State(origins): State<Arc<Origins>>, request: Request, next: Next) -> Response {
    if !is_loopback_host(request.headers()) {
        return refuse("host_not_allowed");
    }
    let is_probe = request.method() == Method::GET
        && request.uri().path() == "/v1/status"
        && !request.headers().contains_key(header::ORIGIN);
    if is_probe {
        return next.run(request).await;
    }
    let Some(origin) = request
        .headers()
        .get(header::ORIGIN)
        .filter(|o| origins.allows(o))
        .cloned()
    else {
        return refuse("origin_not_allowed");
    };
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("content-type"),
    );
    // A public page may reach loopback only where loopback says so.
    headers.insert(
        "access-control-allow-private-network",
        HeaderValue::from_static("true"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// For the demo page: the host's own origin on what changes anything, a loopback name on all.
pub async fn own_page(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_loopback_host(headers) {
        return refuse("host_not_allowed");
    }
    let own = headers
        .get(header::HOST)
        .and_then(|h| h.to_str().ok())
        .map(|h| format!("http://{h}"));
    let is_own = headers
        .get(header::ORIGIN)
        .and_then(|o| o.to_str().ok())
        .map(str::to_owned)
        == own;
    if request.method() != Method::GET && !is_own {
        return refuse("origin_not_allowed");
    }
    next.run(request).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_as_browsers_write_them() {
        assert_eq!(
            origin_of("http://127.0.0.1:8080/booth/").as_deref(),
            Some("http://127.0.0.1:8080")
        );
        assert_eq!(
            origin_of("https://Hall.example:443").as_deref(),
            Some("https://hall.example")
        );
        assert_eq!(origin_of("file:///etc/passwd"), None);
        let o = Origins::new("http://127.0.0.1:8080", &["http://127.0.0.1:5171".into()]).unwrap();
        for good in [
            "http://127.0.0.1:8080",
            "http://localhost:8080",
            "http://localhost:5171",
        ] {
            assert!(o.allows(&HeaderValue::from_static(good)), "{good}");
        }
        for bad in [
            "http://127.0.0.1:80801",
            "https://127.0.0.1:8080",
            "null",
            "http://localhost.evil.example:8080",
        ] {
            assert!(!o.allows(&HeaderValue::from_static(bad)), "{bad}");
        }
        assert!(Origins::new("ftp://x", &[]).is_err());
    }

    #[test]
    fn a_rebound_name_is_not_loopback() {
        let host = |h: &'static str| {
            is_loopback_host(&HeaderMap::from_iter([(
                header::HOST,
                HeaderValue::from_static(h),
            )]))
        };
        assert!(host("127.0.0.1:8091") && host("localhost") && host("[::1]:8091"));
        assert!(
            !host("evil.example:8091")
                && !host("127.0.0.1.evil.example:8091")
                && !host("10.0.0.1:8091")
        );
        assert!(!is_loopback_host(&HeaderMap::new()));
    }
}
