//! The files of the page, as browsers ask for them.

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::pages::reply::error;

/// The paths of all files but the page itself.
pub(crate) const FILES: &str = "/page/{file}";

/// What there is to ask for, as a list: the page asks for nothing that is not in it.
pub(crate) const PATHS: &str = "/page/paths.json";

/// A file, or 304 where the browser has it.
pub(crate) fn file(uri: &Uri, headers: &HeaderMap) -> Response {
    let Some(asset) = tachograph_page::asset(uri.path()) else {
        return error(StatusCode::NOT_FOUND, &format!("the page has no {}", uri.path()));
    };
    let tag = asset.etag.as_bytes();
    let known =
        headers.get_all(IF_NONE_MATCH).iter().flat_map(|it| it.as_bytes().split(|b| *b == b','));
    let is_known = known.map(<[u8]>::trim_ascii).any(|it| it == tag || it == b"*");
    let told = [
        // Asked for each time, sent where it has changed: no browser shows an older page.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(tachograph_page::CONTENT_SECURITY_POLICY),
        ),
        (CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        // Hexadecimal digits in quotes: always a value.
        (ETAG, HeaderValue::from_bytes(tag).unwrap_or(HeaderValue::from_static(""))),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    let (status, body) = match is_known {
        true => (StatusCode::NOT_MODIFIED, Body::empty()),
        false => (StatusCode::OK, Body::from(Bytes::from_static(asset.bytes))),
    };
    (status, told, body).into_response()
}
