//! The files of the page, as browsers ask for them.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::body::{Body, Bytes};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use tachograph_page::{ASSETS, Asset};

use crate::pages::accept;
use crate::pages::encoding::{COMPRESS_FROM, Encoding, gzip};
use crate::pages::reply::error;

/// The paths of all files but the page itself.
pub(crate) const FILES: &str = "/page/{file}";

/// What there is to ask for, as a list: the page asks for nothing that is not in it.
pub(crate) const PATHS: &str = "/page/paths.json";

/// A file, or 304 where the browser has it. `asked` is the path that the browser knows.
pub(crate) fn file(uri: &Uri, asked: &str, headers: &HeaderMap) -> Response {
    let Some(asset) = tachograph_page::asset(uri.path()) else {
        return error(StatusCode::NOT_FOUND, &format!("the page has no {}", uri.path()));
    };
    match last_segment(asked) {
        Some(segment) if uri.path() == "/" => moved(asset, segment),
        _ => plain(asset, headers),
    }
}

/// The part of a path after the last slash, unless it is empty.
pub(crate) fn last_segment(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(_, segment)| segment).filter(|it| !it.is_empty())
}

/// The page at a path without a final slash, as where a router nests it: there, browsers resolve
/// the page's relative addresses a level too high.
fn moved(asset: &Asset, segment: &str) -> Response {
    let segment = segment.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    let html = String::from_utf8_lossy(asset.bytes).replace("\"./", &format!("\"./{segment}/"));
    (told(asset), html).into_response()
}

fn plain(asset: &Asset, headers: &HeaderMap) -> Response {
    let packed = packed(asset).filter(|_| accept::encoding(headers) == Encoding::Gzip);
    let own = asset.etag.as_bytes();
    // Each encoding of a file has a tag of its own.
    let tag =
        if packed.is_some() { [&own[..own.len() - 1], b"-gzip\""].concat() } else { own.into() };
    let known =
        headers.get_all(IF_NONE_MATCH).iter().flat_map(|it| it.as_bytes().split(|b| *b == b','));
    let is_known = known.map(<[u8]>::trim_ascii).any(|it| it == tag || it == b"*");
    // Hexadecimal digits in quotes: always a value.
    let tag = (ETAG, HeaderValue::from_bytes(&tag).unwrap_or(HeaderValue::from_static("")));
    let told = (told(asset), [tag]);
    if is_known {
        return (StatusCode::NOT_MODIFIED, told).into_response();
    }
    let gzip = (CONTENT_ENCODING, HeaderValue::from_static(Encoding::Gzip.name()));
    match packed {
        Some(packed) => (told, [gzip], Body::from(packed)).into_response(),
        None => (told, Body::from(Bytes::from_static(asset.bytes))).into_response(),
    }
}

fn told(asset: &Asset) -> [(HeaderName, HeaderValue); 5] {
    [
        // Asked for each time, sent where it has changed: no browser shows an older page.
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(tachograph_page::CONTENT_SECURITY_POLICY),
        ),
        (CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (VARY, HeaderValue::from_static("accept-encoding")),
    ]
}

/// A file compressed, unless it is short. All are compressed once, at the first request, as well as
/// gzip can.
fn packed(asset: &Asset) -> Option<Bytes> {
    static PACKED: OnceLock<HashMap<&str, Bytes>> = OnceLock::new();
    let all = PACKED.get_or_init(|| {
        let long = ASSETS.iter().filter(|it| it.bytes.len() >= COMPRESS_FROM);
        long.filter_map(|it| Some((it.path, gzip(it.bytes, Compression::best()).ok()?.into())))
            .collect()
    });
    all.get(asset.path).cloned()
}
