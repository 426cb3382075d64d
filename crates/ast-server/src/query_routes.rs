//! The queries over HTTP: beside the metrics, for whom the endpoint lets in. `GET /routes` lists them.
//!
//! Every answer is JSON; one that cannot be given is `{"error": …}`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use live_set::NodeRef;
use serde::{Deserialize, Serialize};
use tachograph_serve::Endpoint;
use tokio::task::spawn_blocking;

use crate::cache::Key;
use crate::error::Error;
use crate::select::{NodeQuery, Operator};
use crate::server::AstServer;

/// A route, as `/routes` lists it.
#[derive(Serialize)]
struct Route {
    method: &'static str,
    path: &'static str,
    is: &'static str,
    #[serde(skip)]
    answer: MethodRouter<AstServer>,
}

impl Route {
    fn get(path: &'static str, is: &'static str, answer: MethodRouter<AstServer>) -> Self {
        Self { method: "GET", path, is, answer }
    }

    fn post(path: &'static str, is: &'static str, answer: MethodRouter<AstServer>) -> Self {
        Self { method: "POST", path, is, answer }
    }
}

/// Every route of the queries: what is served, and what `/routes` says of it.
fn table() -> Vec<Route> {
    let list = |key| get(move |State(server)| look_up(server, Ok(key)));
    vec![
        Route::get("/project", "what the set holds, in numbers", get(project)),
        Route::get("/tracks", "every track", list(Key::Tracks)),
        Route::get("/tracks/{index}", "a track by position, counted from 0", get(track)),
        Route::get("/scenes", "every scene", list(Key::Scenes)),
        Route::get("/scenes/{index}", "a scene by row, counted from 0", get(scene)),
        Route::get("/node", "?id=…: the node with an id", get(node)),
        Route::get(
            "/nodes",
            "?type=…: every node of a type; ?attribute=…&op=…&value=…: those whose attribute is ==, \
             !=, <, > a value or contains it, with type if wanted",
            get(nodes),
        ),
        Route::get(
            "/diff",
            "?file=…: how a file in the set's folder, or in that of --sets, differs from the set",
            get(compare),
        ),
        Route::post("/load", "?file=…: load another set from one of these folders", post(load)),
        Route::post(
            "/reload",
            "take the set's file as it is, whatever events changed",
            post(reload),
        ),
        Route::get("/cache", "how the cache of tracks and scenes does", get(cache)),
        Route::get("/websocket", "who is connected", get(websocket)),
        Route::get("/routes", "this list", get(listed)),
    ]
}

/// The routes of a server's queries.
pub(crate) fn routes(server: AstServer) -> Router {
    let add = |router: Router<AstServer>, route: Route| router.route(route.path, route.answer);
    table().into_iter().fold(Router::new(), add).with_state(server)
}

/// The endpoint's own pages, and what is mounted beside them.
async fn listed() -> Response {
    let own = Endpoint::PAGES.iter();
    let own = own.map(|&(path, is)| Route::get(path, is, MethodRouter::new()));
    match json(&own.chain(table()).collect::<Vec<_>>()) {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// What an answer is made of: JSON, or why there is none.
type Answer = Result<Bytes, Refusal>;

/// Why a query is not answered.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    fn bad_request(reason: impl ToString) -> Self {
        Self { status: StatusCode::BAD_REQUEST, reason: reason.to_string() }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = if error.is_no_set() {
            StatusCode::SERVICE_UNAVAILABLE
        } else if error.is_outside() {
            StatusCode::FORBIDDEN
        } else if error.is_no_node() || error.is_missing_file() {
            StatusCode::NOT_FOUND
        } else if error.is_file() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::BAD_REQUEST
        };
        Self { status, reason: error.to_string() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            error: String,
        }
        let body = serde_json::to_vec(&Body { error: self.reason }).unwrap_or_default();
        (self.status, [(CONTENT_TYPE, "application/json")], body).into_response()
    }
}

async fn project(State(server): State<AstServer>) -> Response {
    answer(move || json(&server.get_project_info()?)).await
}

async fn cache(State(server): State<AstServer>) -> Response {
    answer(move || json(&server.get_cache_stats())).await
}

async fn websocket(State(server): State<AstServer>) -> Response {
    answer(move || json(&server.get_websocket_status())).await
}

async fn track(
    State(server): State<AstServer>,
    index: Result<Path<usize>, PathRejection>,
) -> Response {
    look_up(server, index.map(|Path(index)| Key::Track(index))).await
}

async fn scene(
    State(server): State<AstServer>,
    index: Result<Path<usize>, PathRejection>,
) -> Response {
    look_up(server, index.map(|Path(index)| Key::Scene(index))).await
}

async fn look_up(server: AstServer, key: Result<Key, PathRejection>) -> Response {
    answer(move || Ok(server.look_up(key.map_err(Refusal::bad_request)?)?.into())).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    id: String,
}

async fn node(
    State(server): State<AstServer>,
    asked: Result<Query<Node>, QueryRejection>,
) -> Response {
    answer(move || {
        let Query(Node { id }) = asked.map_err(Refusal::bad_request)?;
        server.node_by_id(&id, |node| json(&node))?
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nodes {
    r#type: Option<String>,
    attribute: Option<String>,
    op: Option<String>,
    value: Option<String>,
}

/// What the parts of a query ask for.
enum Selection {
    OfType(live_set::NodeType),
    Meant(NodeQuery),
}

impl Nodes {
    fn selection(self) -> Result<Selection, Refusal> {
        const WANTED: &str = "ask for ?type=…, or for ?attribute=…&op=…&value=…, or for all four";
        let node_type = self.r#type.map(|name| name.parse().map_err(Refusal::bad_request));
        let node_type = node_type.transpose()?;
        Ok(match (self.attribute, self.op, self.value, node_type) {
            (None, None, None, Some(node_type)) => Selection::OfType(node_type),
            (Some(attribute), Some(operator), Some(value), node_type) => {
                let operator: Operator = operator.parse().map_err(Refusal::bad_request)?;
                let query = NodeQuery::new(attribute, operator, value);
                Selection::Meant(match node_type {
                    Some(node_type) => query.of_type(node_type),
                    None => query,
                })
            }
            _ => return Err(Refusal::bad_request(WANTED)),
        })
    }
}

impl Selection {
    fn has(&self, node: NodeRef<'_>) -> bool {
        match self {
            Self::OfType(node_type) => node.node_type() == *node_type,
            Self::Meant(query) => query.means(node),
        }
    }
}

async fn nodes(
    State(server): State<AstServer>,
    asked: Result<Query<Nodes>, QueryRejection>,
) -> Response {
    answer(move || {
        let Query(asked) = asked.map_err(Refusal::bad_request)?;
        let selection = asked.selection()?;
        server.nodes(|node| selection.has(node), |nodes| json(&nodes.collect::<Vec<_>>()))?
    })
    .await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file: String,
}

async fn compare(
    State(server): State<AstServer>,
    asked: Result<Query<File>, QueryRejection>,
) -> Response {
    // One at a time: each holds a copy of the set and the file's.
    let turn = server.comparing().clone().acquire_owned().await;
    answer(move || {
        let _turn = turn;
        let Query(File { file }) = asked.map_err(Refusal::bad_request)?;
        json(&server.diff_with_neighbour(&file)?)
    })
    .await
}

async fn load(
    State(server): State<AstServer>,
    asked: Result<Query<File>, QueryRejection>,
) -> Response {
    answer(move || {
        let Query(File { file }) = asked.map_err(Refusal::bad_request)?;
        json(&server.load_neighbour(&file)?)
    })
    .await
}

async fn reload(State(server): State<AstServer>) -> Response {
    answer(move || json(&server.take_file()?)).await
}

fn json(value: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).map_err(|error| Refusal {
        status: StatusCode::INTERNAL_SERVER_ERROR,
        reason: format!("the answer could not be written, which is a bug: {error}"),
    })?;
    Ok(bytes.into())
}

/// Answers from a thread on which it may take its time: it waits for the set.
async fn answer(work: impl FnOnce() -> Answer + Send + 'static) -> Response {
    let done = spawn_blocking(work).await.unwrap_or_else(|panicked| {
        let reason = format!("the query failed, which is a bug: {panicked}");
        Err(Refusal { status: StatusCode::INTERNAL_SERVER_ERROR, reason })
    });
    match done {
        Ok(body) => ([(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}
