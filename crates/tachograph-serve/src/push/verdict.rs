//! The meaning of an answer to a push: the retry rules of the OTLP/HTTP specification.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;
use serde_json::Value;

/// The fate of a payload that was sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Accepted, except for this many data points, which are not sent again.
    Taken { rejected: u64 },
    /// Not now. Send it again, but not before the receiver's own time, if it names one.
    Later(Option<Duration>),
    /// Refused for good.
    Refused(StatusCode),
}

impl Verdict {
    /// The meaning of a status. The body only matters if the status is a success.
    pub(crate) fn of(
        status: StatusCode,
        headers: &HeaderMap,
        body: &Bytes,
        now: SystemTime,
    ) -> Self {
        match status {
            _ if status.is_success() => Self::Taken { rejected: rejected(headers, body) },
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Self::Later(retry_after(headers, now)),
            _ => Self::Refused(status),
        }
    }
}

/// A receiver that asks for more has a wrong clock, or will not come back.
const WAIT_MAX: Duration = Duration::from_secs(300);

/// The wait in `Retry-After`, given in seconds or as a date; `None` if it is neither.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|b| b.is_ascii_digit()) && !text.is_empty() {
        return Some(text.parse().map_or(WAIT_MAX, Duration::from_secs).min(WAIT_MAX));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO).min(WAIT_MAX))
}

/// The data points that the receiver says it rejected. A body that cannot be read counts as none:
/// the status alone means success.
fn rejected(headers: &HeaderMap, body: &Bytes) -> u64 {
    let is_json = headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(JSON));
    let rejected = if is_json {
        let response: Value = serde_json::from_slice(body).unwrap_or_default();
        let rejected = &response["partialSuccess"]["rejectedDataPoints"];
        // 64-bit integers are strings, but some receivers write numbers.
        rejected.as_str().map_or(rejected.as_i64(), |digits| digits.parse().ok()).unwrap_or(0)
    } else {
        let response = ExportMetricsServiceResponse::decode(body.clone()).unwrap_or_default();
        response.partial_success.map_or(0, |partial| partial.rejected_data_points)
    };
    u64::try_from(rejected).unwrap_or(0)
}

/// The start of a JSON answer's media type.
const JSON: &[u8] = b"application/json";

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_four_statuses_are_tried_again() {
        let (none, body) = (HeaderMap::new(), Bytes::new());
        let again: Vec<_> = (100..=999)
            .map(|code| StatusCode::from_u16(code).expect("three digits"))
            .filter(|status| {
                Verdict::of(*status, &none, &body, SystemTime::now()) == Verdict::Later(None)
            })
            .map(|status| status.as_u16())
            .collect();
        assert_eq!(again, [429, 502, 503, 504]);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |text: &str| {
            let value = HeaderValue::from_bytes(text.as_bytes()).expect("a value");
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, value)]), now)
        };
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait("0"), Some(Duration::ZERO));
        for long in
            ["301", "99999999999", "99999999999999999999999", "Fri, 06 Nov 2099 08:50:37 GMT"]
        {
            assert_eq!(wait(long), Some(WAIT_MAX), "{long}");
        }
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sunday, 06-Nov-94 08:50:37 GMT"), Some(Duration::from_secs(60)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:36 GMT"), Some(Duration::ZERO), "it has passed");
        for wrong in ["", "soon", "-1", "1.5", "+7", "\u{ff}"] {
            assert_eq!(wait(wrong), None, "{wrong}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }

    #[test]
    fn what_was_rejected_of_a_success_is_counted() {
        // Field 1: a message; in it field 1: the number, field 2: "too old".
        let partial = |rejected: &[u8]| {
            let text = b"\x12\x07too old";
            let length = (1 + rejected.len() + text.len()) as u8;
            Bytes::from([&[0x0a, length, 0x08], rejected, text].concat())
        };
        let of = |status, body: &Bytes| {
            let status = StatusCode::from_u16(status).expect("a status");
            Verdict::of(status, &HeaderMap::new(), body, SystemTime::now())
        };
        let minus_7 = [0xf9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
        assert_eq!(of(200, &partial(&[7])), Verdict::Taken { rejected: 7 });
        assert_eq!(of(200, &partial(&minus_7)), Verdict::Taken { rejected: 0 });
        assert_eq!(of(200, &Bytes::from_static(b"{}")), Verdict::Taken { rejected: 0 });
        assert_eq!(of(204, &Bytes::new()), Verdict::Taken { rejected: 0 });
        let json = |body: &'static str| {
            let body = Bytes::from_static(body.as_bytes());
            let value = HeaderValue::from_static("application/json; charset=utf-8");
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value)]);
            Verdict::of(StatusCode::OK, &headers, &body, SystemTime::now())
        };
        for (body, rejected) in [
            (r#"{"partialSuccess":{"rejectedDataPoints":"7"}}"#, 7),
            (r#"{"partialSuccess":{"rejectedDataPoints":7}}"#, 7),
            (r#"{"partialSuccess":{"rejectedDataPoints":"-7"}}"#, 0),
            (r#"{"partialSuccess":{"errorMessage":"hm"}}"#, 0),
            ("{}", 0),
            ("", 0),
        ] {
            assert_eq!(json(body), Verdict::Taken { rejected }, "{body}");
        }
        assert_eq!(of(503, &partial(&[7])), Verdict::Later(None));
        assert_eq!(of(400, &partial(&[7])), Verdict::Refused(StatusCode::BAD_REQUEST));
    }
}
