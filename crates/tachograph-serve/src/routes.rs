//! Which path answers what.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;
use tachograph::MetricsCollector;
use tachograph_export::json;

use crate::health::Health;
use crate::pages::{Page, Pages};

/// The routes of an endpoint, without a fallback.
pub(crate) fn router(metrics: MetricsCollector, stale_after: Duration) -> Router {
    let pages = Arc::new(Pages::new(metrics));
    let page = |page| {
        let answer = move |State(pages): State<Arc<Pages>>| send(pages, page);
        get(answer).fallback(method_not_allowed)
    };
    let health = move |State(pages): State<Arc<Pages>>| async move { health(&pages, stale_after) };
    Router::new()
        .route("/metrics", page(Page::Prometheus))
        .route("/metrics.json", page(Page::Json))
        .route("/summary", page(Page::Summary))
        .route("/health", get(health).fallback(method_not_allowed))
        .with_state(pages)
}

async fn send(pages: Arc<Pages>, page: Page) -> Response {
    match pages.body(page).await {
        Some(body) => answer(StatusCode::OK, page.content_type(), body),
        None => error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page could not be written: this is a bug, please report it",
        ),
    }
}

fn health(pages: &Pages, stale_after: Duration) -> Response {
    let metrics = pages.metrics();
    let now = SystemTime::now();
    let health = Health::of(&metrics.snapshot(), metrics.enabled(), now, stale_after);
    let status = if health.is_good() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    to_json(status, &health)
}

/// Answers every path that is none of the routes.
pub(crate) async fn not_found(uri: Uri) -> Response {
    let path = uri.path();
    error(
        StatusCode::NOT_FOUND,
        &format!("there is no {path}: try /metrics, /metrics.json, /summary or /health"),
    )
}

/// Answers every method but GET and HEAD; axum adds the `Allow` header.
async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    error(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("{path} does not answer {method}: use GET or HEAD"),
    )
}

fn error(status: StatusCode, message: &str) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
    }
    to_json(status, &Body { error: message })
}

fn to_json(status: StatusCode, body: &impl Serialize) -> Response {
    // Infallible: the bodies are structs of numbers and strings.
    let body = serde_json::to_vec(body).unwrap_or_default();
    answer(status, json::CONTENT_TYPE, body)
}

fn answer(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<axum::body::Body>,
) -> Response {
    // A proxy that kept an answer would show old numbers.
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")];
    (status, headers, body.into()).into_response()
}
