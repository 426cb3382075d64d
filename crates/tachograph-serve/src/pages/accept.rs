//! Content negotiation: what a client accepts, and what it gets.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use mediatype::{MediaType, MediaTypeList, ReadParams};

use crate::pages::encoding::Encoding;
use crate::pages::page::Page;

/// The weight of a client's preference, in thousandths; 0 refuses.
type Quality = u16;

const FULL: Quality = 1_000;

/// The format of `/metrics` for a client: the one it prefers among those it names and we can write.
/// Text if it names none, or only has wildcards.
///
/// A wildcard always means text: a client that does not know a format cannot read it.
pub(crate) fn format(headers: &HeaderMap) -> Page {
    let mut best: Option<(Quality, Page)> = None;
    for header in headers.get_all(ACCEPT) {
        let ranges = header.to_str().map(MediaTypeList::new).into_iter().flatten().flatten();
        for range in ranges {
            let Some((page, quality)) = named(&range).zip(quality_of(&range)) else { continue };
            // The first of several with the same weight.
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, page));
            }
        }
    }
    best.map_or(Page::Text, |(_, page)| page)
}

/// The format of a media range, in the version that we can write.
fn named(range: &MediaType<'_>) -> Option<Page> {
    let essence = range.essence().to_string();
    let is = |key: &str, value: &str| parameter(range, key).is_none_or(|given| given == value);
    if essence == "*/*" || essence.eq_ignore_ascii_case("text/*") {
        return Some(Page::Text);
    }
    Page::FORMATS.into_iter().find_map(|(name, parameters, page)| {
        let is_named = essence.eq_ignore_ascii_case(name);
        (is_named && parameters.iter().all(|(key, value)| is(key, value))).then_some(page)
    })
}

fn quality_of(range: &MediaType<'_>) -> Option<Quality> {
    parameter(range, "q").map_or(Some(FULL), |q| quality(&q))
}

fn parameter(range: &MediaType<'_>, key: &str) -> Option<String> {
    let (_, value) = range.params().find(|(name, _)| name.as_str().eq_ignore_ascii_case(key))?;
    Some(value.unquoted_str().into_owned())
}

/// The encoding for a client: gzip unless it refuses that, or prefers to go without.
pub(crate) fn encoding(headers: &HeaderMap) -> Encoding {
    let (mut gzip, mut identity, mut rest) = (None, None, None);
    for header in headers.get_all(ACCEPT_ENCODING) {
        for coding in header.to_str().unwrap_or_default().split(',') {
            let (name, parameter) = coding.split_once(';').unwrap_or((coding, "q=1"));
            let q = parameter.trim().split_once('=');
            let q = q.filter(|(key, _)| key.eq_ignore_ascii_case("q")).map(|(_, q)| quality(q));
            let Some(quality @ Some(_)) = q else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => gzip = quality,
                "identity" => identity = quality,
                "*" => rest = quality,
                _ => {}
            }
        }
    }
    let gzip = gzip.or(rest).unwrap_or(0);
    // Also where both are refused: there is nothing better.
    if gzip == 0 || gzip < identity.or(rest).unwrap_or(1) {
        Encoding::Identity
    } else {
        Encoding::Gzip
    }
}

/// A weight between 0 and 1 with at most three digits; `None` for anything else.
fn quality(text: &str) -> Option<Quality> {
    let (whole, digits) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    if digits.len() > 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: Quality = format!("{digits:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_is_not_written_here_is_text() {
        for accept in ["*/*", "text/html, */*;q=0.8", "image/png", "text/plain;version=1.0.0", ",;"]
        {
            assert_eq!(format(&headers(ACCEPT, &[accept])), Page::Text, "{accept:?}");
        }
    }

    #[test]
    fn a_scraper_gets_the_format_that_it_wants_most() {
        const PROTOBUF: &str = "application/vnd.google.protobuf;\
             proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let open_metrics = "application/openmetrics-text;version=1.0.0";
        // Prometheus's header with native histograms, and without.
        let rest = "application/openmetrics-text;version=1.0.0;q=0.8,\
                    application/openmetrics-text;version=0.0.1;q=0.75,\
                    text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let both: &'static str = format!("{PROTOBUF},{rest}").leak();
        for (accept, page) in [
            (both, Page::Protobuf),
            (rest, Page::OpenMetrics),
            (open_metrics, Page::OpenMetrics),
            ("application/openmetrics-text; version=0.0.1", Page::Text),
            ("text/plain, application/openmetrics-text;q=0.9", Page::Text),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
                Page::Text,
            ),
            ("application/openmetrics-text;version=1.0.0;q=0", Page::Text),
        ] {
            assert_eq!(format(&headers(ACCEPT, &[accept])), page, "{accept:?}");
        }
    }

    #[test]
    fn the_encoding_is_the_smallest_of_those_that_are_wanted_most() {
        for (accept, encoding) in [
            (&[][..], Encoding::Identity),
            (&[""], Encoding::Identity),
            (&["gzip"], Encoding::Gzip),
            (&["X-GZIP ; q=0.5"], Encoding::Gzip),
            (&["gzip, deflate, br, zstd"], Encoding::Gzip),
            (&["br", "gzip"], Encoding::Gzip),
            (&["identity;q=0, gzip;q=0.001"], Encoding::Gzip),
            (&["identity, gzip;q=0.5"], Encoding::Identity),
            (&["*"], Encoding::Gzip),
            (&["*;q=0.5, gzip;q=0"], Encoding::Identity),
            (&["br"], Encoding::Identity),
            (&["identity;q=0"], Encoding::Identity),
            (&["gzip;q=1.5"], Encoding::Identity),
            (&["gzip;level=9"], Encoding::Identity),
        ] {
            assert_eq!(super::encoding(&headers(ACCEPT_ENCODING, accept)), encoding, "{accept:?}");
        }
    }
}
