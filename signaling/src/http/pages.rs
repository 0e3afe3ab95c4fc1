//! The built pages, inside the binary (in a development build read from where they were built).

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

macro_rules! app {
    ($name:ident, $folder:literal) => {
        #[derive(RustEmbed)]
        #[folder = $folder]
        struct $name;
    };
}
app!(Booth, "../booth-client/apps/booth/dist");
app!(Phone, "../booth-client/apps/phone/dist");
app!(Verify, "../booth-client/apps/public/dist");
app!(Console, "../agent-console/apps/desk/dist");
app!(Office, "../agent-console/apps/office/dist");
app!(Admin, "../agent-console/apps/admin/dist");
app!(Wall, "../agent-console/apps/wall/dist");

fn file(app: &str, path: &str) -> Option<EmbeddedFile> {
    match app {
        "booth" => Booth::get(path),
        "phone" => Phone::get(path),
        "verify" => Verify::get(path),
        "console" => Console::get(path),
        "office" => Office::get(path),
        "admin" => Admin::get(path),
        "wall" => Wall::get(path),
        _ => None,
    }
}

/// A page's file; any other path below a page is the page itself.
pub async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let Some((app, rest)) = path.split_once('/') else {
        return if file(path, "index.html").is_some() {
            Redirect::permanent(&format!("/{path}/")).into_response()
        } else {
            StatusCode::NOT_FOUND.into_response()
        };
    };
    let hashed = rest.starts_with("assets/");
    let found = if rest.is_empty() {
        None
    } else {
        file(app, rest)
    };
    let (name, f) = match found {
        Some(f) => (rest, f),
        None if hashed => return StatusCode::NOT_FOUND.into_response(),
        None => match file(app, "index.html") {
            Some(f) => ("index.html", f),
            None => return StatusCode::NOT_FOUND.into_response(),
        },
    };
    let kind = mime_guess::from_path(name).first_or_octet_stream();
    // Hashed names never change; the page itself is asked for again each time.
    let cache = if hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut r = f.data.into_owned().into_response();
    if let Ok(v) = HeaderValue::from_str(kind.as_ref()) {
        r.headers_mut().insert(header::CONTENT_TYPE, v);
    }
    r.headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    r
}
