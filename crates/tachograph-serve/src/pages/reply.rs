//! Short answers: errors, and bodies small enough to be written at once.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tachograph_export::json;

/// An error message for people.
pub(crate) fn error(status: StatusCode, message: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
    }
    to_json(status, &Body { error: message })
}

pub(crate) fn to_json(status: StatusCode, body: &impl Serialize) -> Response {
    // Infallible: the bodies are structs of numbers and strings.
    let body = serde_json::to_vec(body).unwrap_or_default();
    answer(status, json::CONTENT_TYPE, body)
}

pub(crate) fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response {
    (status, [(CONTENT_TYPE, content_type)], body.into()).into_response()
}
