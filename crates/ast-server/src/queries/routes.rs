//! Queries over HTTP, beside the metrics and with the same access control. `GET /routes` lists
//! them.
//!
//! Every answer is JSON; an error is `{"error": …}`.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use live_set::NodeRef;
use serde::{Deserialize, Serialize};
use tachograph_serve::Endpoint;
use tower_http::compression::CompressionLayer;

use crate::queries::pool::{Answer, Asker, Pool, Refusal};
use crate::queries::select::{NodeQuery, Operator};
use crate::server::ast_server::AstServer;
use crate::server::cache::Key;

/// A route, as listed by `/routes`.
#[derive(Serialize)]
struct Route {
    method: &'static str,
    path: &'static str,
    is: &'static str,
    #[serde(skip)]
    answer: MethodRouter<Queries>,
}

impl Route {
    fn get(path: &'static str, is: &'static str, answer: MethodRouter<Queries>) -> Self {
        Self { method: "GET", path, is, answer }
    }

    fn post(path: &'static str, is: &'static str, answer: MethodRouter<Queries>) -> Self {
        Self { method: "POST", path, is, answer }
    }
}

/// The state that the routes share.
#[derive(Clone, Debug)]
struct Queries {
    server: AstServer,
    pool: Pool,
    /// The endpoint's own pages, each with a description.
    pages: Arc<[(&'static str, &'static str)]>,
}

impl Queries {
    async fn answer(
        self,
        work: impl FnOnce(&AstServer, &Asker<'_>) -> Answer + Send + 'static,
    ) -> Response {
        let Self { server, pool, .. } = self;
        pool.answer(move |asker| work(&server, asker)).await
    }
}

/// Every query route, with its description for `/routes`.
fn table() -> Vec<Route> {
    let list = |key| get(move |State(queries)| look_up(queries, Ok(key)));
    vec![
        Route::get("/project", "what the set holds, in numbers", get(project)),
        Route::get(
            "/tree",
            "the whole tree as viewers are sent it first, as gzip where that is accepted",
            get(tree).layer(CompressionLayer::new()),
        ),
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

/// The routes of a server's queries, beside an endpoint's pages.
pub(crate) fn routes(server: AstServer, endpoint: &Endpoint) -> Router {
    let add = |router: Router<Queries>, route: Route| router.route(route.path, route.answer);
    let pool = Pool::new(server.settings().answers_bytes);
    table().into_iter().fold(Router::new(), add).with_state(Queries {
        server,
        pool,
        pages: endpoint.served().collect(),
    })
}

/// The endpoint's own pages, and the mounted ones.
async fn listed(State(queries): State<Queries>) -> Response {
    let own = Arc::clone(&queries.pages);
    let list = move |_: &AstServer, asker: &Asker<'_>| {
        let own = own.iter().map(|&(path, is)| Route::get(path, is, MethodRouter::new()));
        asker.json(&own.chain(table()).collect::<Vec<_>>())
    };
    queries.answer(list).await
}

async fn project(State(queries): State<Queries>) -> Response {
    queries.answer(|server, asker| asker.json(&server.get_project_info()?)).await
}

async fn tree(State(queries): State<Queries>) -> Response {
    let write = |server: &AstServer, _: &Asker<'_>| Ok(server.tree_message()?.as_bytes().to_vec());
    queries.answer(write).await
}

async fn cache(State(queries): State<Queries>) -> Response {
    queries.answer(|server, asker| asker.json(&server.get_cache_stats())).await
}

async fn websocket(State(queries): State<Queries>) -> Response {
    queries.answer(|server, asker| asker.json(&server.get_websocket_status())).await
}

async fn track(
    State(queries): State<Queries>,
    index: Result<Path<usize>, PathRejection>,
) -> Response {
    look_up(queries, index.map(|Path(index)| Key::Track(index))).await
}

async fn scene(
    State(queries): State<Queries>,
    index: Result<Path<usize>, PathRejection>,
) -> Response {
    look_up(queries, index.map(|Path(index)| Key::Scene(index))).await
}

async fn look_up(queries: Queries, key: Result<Key, PathRejection>) -> Response {
    let look_up = |server: &AstServer, _: &Asker<'_>| {
        let text = server.look_up(key.map_err(Refusal::bad_request)?)?;
        Ok(text.as_bytes().to_vec())
    };
    queries.answer(look_up).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Node {
    id: String,
}

async fn node(
    State(queries): State<Queries>,
    asked: Result<Query<Node>, QueryRejection>,
) -> Response {
    let find = |server: &AstServer, asker: &Asker<'_>| {
        let Query(Node { id }) = asked.map_err(Refusal::bad_request)?;
        server.node_by_id(&id, |node| asker.json(&node))?
    };
    queries.answer(find).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nodes {
    r#type: Option<String>,
    attribute: Option<String>,
    op: Option<String>,
    value: Option<String>,
}

/// What the parts of a query select.
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
    State(queries): State<Queries>,
    asked: Result<Query<Nodes>, QueryRejection>,
) -> Response {
    let find = |server: &AstServer, asker: &Asker<'_>| {
        let Query(asked) = asked.map_err(Refusal::bad_request)?;
        let selection = asked.selection()?;
        let wanted = |node: NodeRef<'_>| !asker.has_left() && selection.has(node);
        server.nodes(wanted, |nodes| asker.json(&nodes.collect::<Vec<_>>()))?
    };
    queries.answer(find).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    file: String,
}

async fn compare(
    State(queries): State<Queries>,
    asked: Result<Query<File>, QueryRejection>,
) -> Response {
    let compare = |server: &AstServer, asker: &Asker<'_>| {
        let Query(File { file }) = asked.map_err(Refusal::bad_request)?;
        asker.json(&server.diff_with_neighbour(&file, asker)?)
    };
    queries.answer(compare).await
}

async fn load(
    State(queries): State<Queries>,
    asked: Result<Query<File>, QueryRejection>,
) -> Response {
    let load = |server: &AstServer, asker: &Asker<'_>| {
        let Query(File { file }) = asked.map_err(Refusal::bad_request)?;
        asker.json(&server.load_neighbour(&file)?)
    };
    queries.answer(load).await
}

async fn reload(State(queries): State<Queries>) -> Response {
    queries.answer(|server, asker| asker.json(&server.take_file()?)).await
}
