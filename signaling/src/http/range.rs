//! Parts of a file (RFC 9110 §14): one range in bytes. Several ranges, other units and what is malformed are answered with the whole file,
//! as the standard allows; there is no validator, so `If-Range` never fits.

use crate::problem::AppError;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use futures::Stream;
use std::{io, ops::Range};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Whole,
    Part(Range<u64>),
    /// Behind the end.
    Beyond,
}

/// Reads the header for a file of this length.
#[must_use]
pub fn asked(headers: &HeaderMap, length: u64) -> Asked {
    if headers.contains_key(header::IF_RANGE) {
        return Asked::Whole;
    }
    let text = headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    text.and_then(|t| parse(t, length)).unwrap_or(Asked::Whole)
}

/// None: nothing that means a single range.
fn parse(text: &str, length: u64) -> Option<Asked> {
    let (unit, range) = text.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let number = |s: &str| -> Option<u64> {
        let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        // More digits than fit mean a place behind any end.
        digits.then(|| s.parse().unwrap_or(u64::MAX))
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (from, to) = if first.is_empty() {
        let n = number(last)?;
        if n == 0 {
            return Some(Asked::Beyond);
        }
        (length.saturating_sub(n), length)
    } else {
        let from = number(first)?;
        let to = if last.is_empty() {
            length
        } else {
            let last = number(last)?;
            if last < from {
                return None;
            }
            last.saturating_add(1).min(length)
        };
        (from, to)
    };
    Some(if from >= length {
        Asked::Beyond
    } else {
        Asked::Part(from..to)
    })
}

fn number(n: u64) -> HeaderValue {
    HeaderValue::from(n)
}

/// 200, 206 or 416 with what stands in all of them; `bytes` gives the body of a range.
///
/// # Errors
/// None; for handlers that have some.
pub fn answer<S>(
    headers: &HeaderMap,
    length: u64,
    content_type: &'static str,
    bytes: impl FnOnce(Range<u64>) -> S,
) -> Result<Response, AppError>
where
    S: Stream<Item = io::Result<Bytes>> + Send + 'static,
{
    let (status, range) = match asked(headers, length) {
        Asked::Whole => (StatusCode::OK, 0..length),
        Asked::Part(r) => (StatusCode::PARTIAL_CONTENT, r),
        Asked::Beyond => {
            let mut r = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            if let Ok(v) = HeaderValue::from_str(&format!("bytes */{length}")) {
                r.headers_mut().insert(header::CONTENT_RANGE, v);
            }
            return Ok(r);
        }
    };
    let mut r = Response::new(Body::from_stream(bytes(range.clone())));
    *r.status_mut() = status;
    let h = r.headers_mut();
    h.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    h.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    h.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    h.insert(header::CONTENT_LENGTH, number(range.end - range.start));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(v) =
            HeaderValue::from_str(&format!("bytes {}-{}/{length}", range.start, range.end - 1))
    {
        h.insert(header::CONTENT_RANGE, v);
    }
    Ok(r)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &'static str) -> Asked {
        let mut h = HeaderMap::new();
        h.insert(header::RANGE, HeaderValue::from_static(range));
        asked(&h, 1_000)
    }

    #[test]
    fn the_ranges_of_rfc_9110() {
        assert_eq!(of("bytes=0-499"), Asked::Part(0..500));
        assert_eq!(of("bytes=500-999"), Asked::Part(500..1_000));
        assert_eq!(of("bytes=500-"), Asked::Part(500..1_000));
        assert_eq!(of("bytes=-500"), Asked::Part(500..1_000));
        assert_eq!(of("bytes=-5000"), Asked::Part(0..1_000));
        assert_eq!(of("bytes=0-0"), Asked::Part(0..1));
        assert_eq!(of("bytes=990-5000"), Asked::Part(990..1_000));
        assert_eq!(of("Bytes = 1-2"), Asked::Part(1..3));
        assert_eq!(of("bytes=1000-"), Asked::Beyond);
        assert_eq!(of("bytes=-0"), Asked::Beyond);
        assert_eq!(of("bytes=99999999999999999999999-"), Asked::Beyond);
    }

    #[test]
    fn what_is_no_single_range_is_the_whole_file() {
        for other in [
            "bytes=1-2,4-5",
            "bytes=5-2",
            "bytes=a-b",
            "bytes=",
            "bytes=-",
            "lines=1-2",
            "bytes",
            "bytes=+1-2",
        ] {
            assert_eq!(of(other), Asked::Whole, "{other}");
        }
        let mut h = HeaderMap::new();
        h.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        h.insert(header::IF_RANGE, HeaderValue::from_static("\"x\""));
        assert_eq!(asked(&h, 10), Asked::Whole);
        assert_eq!(asked(&HeaderMap::new(), 0), Asked::Whole);
    }
}
