//! The routes, and what each answers.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime};

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, OriginalUri, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, VARY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

#[cfg(feature = "alerts")]
use crate::alerts::builder::Board;
use crate::error::Error;
use crate::http::access::{Access, Refusal};
use crate::http::files;
use crate::http::health::{Checks, Health};
use crate::http::session;
use crate::live::seat::Seat;
use crate::live::site::Live;
use crate::pages::accept;
use crate::pages::answer::Answer;
use crate::pages::bodies::Pages;
use crate::pages::encoding::Encoding;
use crate::pages::page::Page;
use crate::pages::reply::{answer, error, to_json};
use crate::pages::scrapes::Scrapes;

/// The paths of an endpoint's own pages, each with a description.
pub(crate) const PAGES: &[(&str, &str)] = &[
    ("/metrics", "every metric, as Prometheus reads it"),
    ("/metrics.json", "every metric as JSON; ?buckets=1: distributions in buckets too"),
    ("/snapshot", "the snapshot as it is, as JSON"),
    ("/summary", "the program's overview, as JSON"),
    ("/health", "200 while all is well, 503 with the reason otherwise"),
    ("/-/ready", "200 once there is something to read"),
];

/// The additional pages of an endpoint with a history.
pub(crate) const HISTORY_PAGES: &[(&str, &str)] = &[
    ("/", "the page: charts of every series as it comes, in a browser; ?token=… lets one in"),
    (
        "/live",
        "every second as it comes, as server-sent events; ?since=10m: with so much before it",
    ),
    ("/history", "the last minutes as lines of JSON; ?from=-10m&to=…&step=30s"),
    ("/doctor", "what is wrong and what to try, as JSON"),
    (
        "/report",
        "the page with its history as one file, to save and to send; ?from=-10m&to=…&step=30s",
    ),
    (ALERTS, "rules, alerts and who was told of them, as JSON"),
];

/// Only served if there are rules.
pub(crate) const ALERTS: &str = "/alerts";

/// The limit for the body of a request to a mounted route in bytes.
const REQUEST_BYTES: usize = 1 << 20;

/// The state that all routes of an endpoint share.
#[derive(Debug)]
pub(crate) struct Site {
    /// The pages that are served.
    pub(crate) paths: Vec<&'static str>,
    pub(crate) pages: Pages,
    pub(crate) scrapes: Arc<Scrapes>,
    pub(crate) live: Option<Arc<Live>>,
    #[cfg(feature = "alerts")]
    pub(crate) board: Option<Arc<Board>>,
    pub(crate) access: RwLock<Access>,
    /// Whether everything goes over TLS.
    pub(crate) is_secure: bool,
    pub(crate) stale_after: Duration,
    /// For a complete answer.
    pub(crate) read_within: Duration,
    pub(crate) checks: Checks,
}

impl Site {
    fn access(&self) -> RwLockReadGuard<'_, Access> {
        self.access.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on applies another access control, for the same address.
    pub(crate) fn let_in(&self, mut access: Access) {
        let mut present = self.access.write().unwrap_or_else(PoisonError::into_inner);
        access.hosts.bound = present.hosts.bound;
        if let (Some(token), Some(before)) = (&access.token, &present.token) {
            token.go_on(before);
        }
        *present = access;
    }

    /// What a request gets instead of its answer; `None` where it may have that.
    fn instead(&self, page: &str, request: &Request) -> Option<Response> {
        let (access, headers) = (self.access(), request.headers());
        let refusal = access.check(request.uri(), headers).err();
        let is_known = matches!(refusal, None | Some(Refusal::Token));
        if let Some(token) = access.token.as_ref().filter(|_| is_known)
            // A session reads, and does nothing else: other methods need the token.
            && request.method() == Method::GET
        {
            let given = session::token_in(request.uri().query()).filter(|_| page == "/");
            if given.is_some_and(|given| token.is(given.as_bytes())) {
                let asked = request.extensions().get::<OriginalUri>();
                let asked = asked.map_or(request.uri().path(), |it| it.path());
                return Some(session::begin(token, headers, asked, self.is_secure));
            }
            if session::is_in(token, headers) {
                return None;
            }
        }
        refusal.as_ref().map(refuse)
    }

    /// Ends the answers that would never end by themselves.
    pub(crate) fn end_streams(&self) {
        if let Some(live) = &self.live {
            live.end();
        }
    }

    fn health(&self) -> Health {
        let metrics = self.pages.metrics();
        // Neither waits for the aggregator, which may be what is stuck.
        let (snapshot, enabled) = (metrics.snapshot(), metrics.enabled());
        Health::of(&snapshot, enabled, SystemTime::now(), self.stale_after)
    }
}

/// The routes of an endpoint, without a fallback.
pub(crate) fn router(site: &Arc<Site>) -> Router {
    let fixed = |page| {
        move |State(site): State<Arc<Site>>, headers: HeaderMap| async move {
            send(&site, page, &headers).await
        }
    };
    let route = |path: &str| match path {
        "/metrics" => get(metrics),
        "/metrics.json" => get(metrics_json),
        "/snapshot" => get(fixed(Page::Snapshot)),
        "/summary" => get(fixed(Page::Summary)),
        "/health" => get(health),
        "/live" => get(live),
        "/history" => get(history),
        "/doctor" => get(doctor),
        "/report" => get(report),
        #[cfg(feature = "alerts")]
        ALERTS => get(alerts),
        "/" => get(file),
        _ => get(ready),
    };
    let add = |router: Router<Arc<Site>>, path: &&'static str| {
        router.route(path, guard(site, path, route(path).fallback(method_not_allowed)))
    };
    let mut router = site.paths.iter().fold(Router::new(), add);
    if site.paths.contains(&"/") {
        for (path, answer) in [(files::FILES, get(file)), (files::PATHS, get(paths))] {
            router = router.route(path, guard(site, "page", answer.fallback(method_not_allowed)));
        }
    }
    router.with_state(Arc::clone(site))
}

/// The routes of an endpoint with a server of its own, plus mounted ones. Every other path gets a
/// list of what there is. `Err` if both have the same path.
pub(crate) fn whole(site: &Arc<Site>, mounted: Router, timeout: Duration) -> Result<Router, Error> {
    let other = guard(site, "other", axum::routing::any(not_found));
    let other = Router::new().fallback_service(other.with_state(Arc::clone(site)));
    let too_late = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, timeout);
    // Innermost, so that their answers are measured as well.
    let mounted = mounted
        .layer(CatchPanicLayer::custom(panicked))
        .layer(too_late)
        .layer(RequestBodyLimitLayer::new(REQUEST_BYTES));
    let (own, mounted) = (router(site), guarded(site, mounted));
    // axum reports overlapping routes only by a panic.
    catch_unwind(AssertUnwindSafe(|| own.merge(mounted).fallback_service(other)))
        .map_err(|_| Error::overlap(&site.paths))
}

/// The program's own code panicked while answering.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    error(StatusCode::INTERNAL_SERVER_ERROR, "this route has panicked: that is a bug")
}

/// Checks access to a route and measures its answer.
fn guard(
    site: &Arc<Site>,
    path: &'static str,
    answer: MethodRouter<Arc<Site>>,
) -> MethodRouter<Arc<Site>> {
    let site = Arc::clone(site);
    answer.layer(from_fn(move |request, next| watch(Arc::clone(&site), path, request, next)))
}

/// The program's own routes, checked and measured like the endpoint's.
fn guarded(site: &Arc<Site>, routes: Router) -> Router {
    let site = Arc::clone(site);
    routes.layer(from_fn(move |request, next| watch(Arc::clone(&site), "mounted", request, next)))
}

async fn watch(site: Arc<Site>, path: &'static str, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let mut answer = match site.instead(path, &request) {
        None => next.run(request).await,
        Some(instead) => instead,
    };
    protect(answer.headers_mut());
    site.scrapes.note_request(path, answer.status().as_u16(), begun.elapsed());
    answer
}

/// Headers of every answer.
fn protect(headers: &mut HeaderMap) {
    const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let told = [
        // A proxy that stored an answer would show old numbers.
        (CACHE_CONTROL, "no-store"),
        // No page may run, show or embed it.
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (RESOURCE_POLICY, "same-origin"),
    ];
    for (name, value) in told {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

async fn metrics(State(site): State<Arc<Site>>, headers: HeaderMap) -> Response {
    let mut answer = send(&site, accept::format(&headers), &headers).await;
    answer.headers_mut().insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
    answer
}

async fn metrics_json(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    // Unknown parameters come from browsers and proxies.
    let pairs = uri.query().unwrap_or_default().split('&');
    let mut pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    match pairs.rfind(|(name, _)| *name == "buckets").map(|(_, value)| value) {
        None | Some("0" | "false") => send(&site, Page::Json, &headers).await,
        Some("" | "1" | "true") => send(&site, Page::JsonWithBuckets, &headers).await,
        Some(value) => error(
            StatusCode::BAD_REQUEST,
            &format!("/metrics.json does not know buckets={value}: try ?buckets=1"),
        ),
    }
}

async fn send(site: &Site, page: Page, headers: &HeaderMap) -> Response {
    let encoding = accept::encoding(headers);
    let Some((body, encoding)) = site.pages.body(page, encoding).await else {
        return error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the page could not be written: this is a bug, please report it",
        );
    };
    let body = Body::new(Answer::new(body, site.read_within));
    let mut answer = answer(StatusCode::OK, page.content_type(), body);
    let headers = answer.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    if encoding != Encoding::Identity {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    }
    answer
}

async fn live(
    State(site): State<Arc<Site>>,
    uri: Uri,
    headers: HeaderMap,
    seat: Option<Extension<Seat>>,
) -> Response {
    let Some(live) = &site.live else { return no_history() };
    live.listen(uri.query().unwrap_or_default(), &headers, seat.map(|Extension(seat)| seat)).await
}

async fn history(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let Some(live) = &site.live else { return no_history() };
    live.past(uri.query().unwrap_or_default(), site.read_within).await
}

async fn doctor(State(site): State<Arc<Site>>) -> Response {
    let Some(live) = &site.live else { return no_history() };
    live.doctor().await
}

async fn report(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let Some(live) = &site.live else { return no_history() };
    #[cfg(feature = "alerts")]
    let alerts = site.board.as_ref().and_then(|it| serde_json::to_value(it.told()).ok());
    #[cfg(not(feature = "alerts"))]
    let alerts = None;
    live.report(uri.query().unwrap_or_default(), alerts, site.read_within).await
}

#[cfg(feature = "alerts")]
async fn alerts(State(site): State<Arc<Site>>) -> Response {
    let Some(board) = &site.board else { return no_history() };
    to_json(StatusCode::OK, &board.told())
}

async fn file(uri: Uri, OriginalUri(asked): OriginalUri, headers: HeaderMap) -> Response {
    files::file(&uri, asked.path(), &headers)
}

async fn paths(State(site): State<Arc<Site>>) -> Response {
    to_json(StatusCode::OK, &site.paths)
}

fn no_history() -> Response {
    error(StatusCode::NOT_FOUND, "this endpoint keeps no history")
}

async fn health(State(site): State<Arc<Site>>) -> Response {
    let ended = site.live.as_ref().and_then(|live| live.recording_ended());
    let health = site.health().checked(&site.checks).recorded(ended);
    to_json(status_if(health.is_good()), &health)
}

async fn ready(State(site): State<Arc<Site>>) -> Response {
    let health = site.health();
    to_json(status_if(health.is_ready()), &health)
}

fn status_if(good: bool) -> StatusCode {
    if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Answers every path without a route.
async fn not_found(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let (path, pages) = (uri.path(), site.paths.join(", "));
    let why = match path {
        "/summary" => " (the program gives none with `Endpoint::summary`)",
        _ => "",
    };
    error(StatusCode::NOT_FOUND, &format!("there is no {path}{why}: try one of {pages}"))
}

/// Answers every method except GET and HEAD; axum adds the `Allow` header.
async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let path = uri.path();
    error(
        StatusCode::METHOD_NOT_ALLOWED,
        &format!("{path} does not answer {method}: use GET or HEAD"),
    )
}

pub(crate) fn refuse(refusal: &Refusal) -> Response {
    match refusal {
        Refusal::Host(host) => error(
            StatusCode::FORBIDDEN,
            &format!(
                "{host:?} is no known name of this endpoint: use its address, or allow the host"
            ),
        ),
        Refusal::Origin(origin) => error(
            StatusCode::FORBIDDEN,
            &format!("pages from {origin:?} may not read this: allow the host if they should"),
        ),
        Refusal::Token => {
            let told = "a token is needed: send `Authorization: Bearer TOKEN`, or open /?token=TOKEN in a \
                        browser";
            let mut answer = error(StatusCode::UNAUTHORIZED, told);
            let scheme = HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(WWW_AUTHENTICATE, scheme);
            answer
        }
    }
}
