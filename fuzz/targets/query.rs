//! Queries over HTTP: every request gets an answer, every body is JSON, and nodes are found exactly
//! as by searching the tree that viewers are sent.
#![no_main]

use std::fs::File;
use std::sync::LazyLock;

use arbitrary::Arbitrary;
use ast_server::{AstServer, parts};
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Uri};
use libfuzzer_sys::fuzz_target;
use live_set::generate::Spec;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

const NODE_TYPES: [&str; 8] =
    ["project", "track", "device", "clip_slot", "clip", "scene", "mixer", "file_ref"];
const ATTRIBUTES: [&str; 12] = [
    "name",
    "index",
    "color",
    "is_muted",
    "volume",
    "pan",
    "sends",
    "parameters",
    "has_clip",
    "tempo",
    "crossfader",
    "scene_index",
];
const OPERATORS: [&str; 5] = ["==", "!=", "<", ">", "contains"];

#[derive(Arbitrary, Debug)]
enum Asked<'a> {
    /// An arbitrary path and query, with some method.
    Target {
        method: u8,
        target: &'a str,
    },
    /// Any name and value for each part, or none.
    Loose {
        path: u8,
        parts: Vec<(&'a str, &'a str)>,
    },
    Nodes {
        node_type: Option<u8>,
        attribute: u8,
        operator: u8,
        value: Wanted<'a>,
    },
    Node(&'a str),
    /// The node at some position in the tree.
    Known(u16),
    Track(u64),
    Scene(u64),
    Diff(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Wanted<'a> {
    Text(&'a str),
    Number(f64),
    Small(u8),
    Flag(bool),
    /// A value that occurs in some node, as text.
    Found(u16),
}

struct Stage {
    runtime: Runtime,
    server: AstServer,
    /// Every node as viewers are sent it, owners first.
    nodes: Vec<Value>,
    _folder: tempfile::TempDir,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = Spec {
        tracks: 3,
        groups: 1,
        scenes: 4,
        clips: 2,
        notes: 2,
        devices: 2,
        racks: 1,
        ..Spec::default()
    };
    let file = folder.path().join("set.als");
    spec.write_als(File::create(&file).expect("a file")).expect("written");
    let server = AstServer::new();
    server.load_project(&file).expect("it loads");
    let root = server.find_nodes_by_type("project").expect("a type").remove(0);
    let mut nodes = Vec::new();
    walk(root, &mut nodes);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    Stage { runtime, server, nodes, _folder: folder }
});

fn walk(node: Value, into: &mut Vec<Value>) {
    let children = node["children"].as_array().cloned().unwrap_or_default();
    into.push(node);
    children.into_iter().for_each(|child| walk(child, into));
}

/// Whether an attribute compares with text as the protocol page defines it for JSON.
fn fits(attribute: &Value, operator: &str, wanted: &str) -> bool {
    fn compare<T: PartialOrd>(value: T, operator: &str, wanted: Option<T>) -> bool {
        wanted.is_some_and(|wanted| match operator {
            "==" => value == wanted,
            "!=" => value != wanted,
            "<" => value < wanted,
            ">" => value > wanted,
            _ => false,
        })
    }
    match attribute {
        Value::Bool(value) => compare(*value, operator, wanted.parse().ok()),
        Value::Number(value) => {
            compare(value.as_f64().expect("a float"), operator, wanted.parse().ok())
        }
        Value::String(value) if operator == "contains" => value.contains(wanted),
        Value::String(value) => compare(value.as_str(), operator, Some(wanted)),
        Value::Array(values) if operator == "contains" => {
            let number = wanted.parse::<f64>().ok();
            let is_it = |value: &Value| match value {
                Value::Number(value) => number.is_some() && value.as_f64() == number,
                value => value["name"] == wanted,
            };
            values.iter().any(is_it)
        }
        _ => false,
    }
}

/// Every byte percent-encoded, so that it stands for itself.
fn escaped(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn pick<'a>(names: &[&'a str], place: u8) -> &'a str {
    names[usize::from(place) % names.len()]
}

/// Sends a request; returns the status and the body, which must be JSON if it claims to be.
fn ask(method: Method, target: &str) -> Option<(u16, Option<Value>)> {
    let uri = Uri::try_from(target).ok()?;
    let request = Request::builder().method(method).uri(uri).body(Body::empty()).ok()?;
    let routes = parts::query_routes(&STAGE.server);
    let (head, body) = STAGE.runtime.block_on(async {
        let answer = routes.oneshot(request).await.expect("it cannot fail");
        let (head, body) = answer.into_parts();
        (head, to_bytes(body, usize::MAX).await.expect("it is in memory"))
    });
    let status = head.status.as_u16();
    assert!([200, 400, 403, 404, 405, 422, 503].contains(&status), "{status} for {target}");
    let is_json = head.headers.get(CONTENT_TYPE).is_some_and(|it| it == "application/json");
    let read = || serde_json::from_slice::<Value>(&body).expect("JSON");
    let json = (is_json && !body.is_empty()).then(read);
    if let (Some(json), true) = (&json, status != 200) {
        assert!(json["error"].is_string(), "{json} for {target}");
    }
    Some((status, json))
}

fn get(target: &str) -> (u16, Value) {
    let (status, json) = ask(Method::GET, target).expect("it is a target");
    (status, json.expect("every query is answered in JSON"))
}

/// Checks that the answer is the element at a position, or that there is none.
fn check_position(kind: &str, node_type: &str, index: u64) {
    let of_type = STAGE.nodes.iter().filter(|node| node["node_type"] == node_type);
    let wanted = usize::try_from(index).ok().and_then(|index| of_type.clone().nth(index));
    let (status, json) = get(&format!("/{kind}/{index}"));
    match wanted {
        Some(wanted) => assert!(status == 200 && json == *wanted),
        None => assert!(status == 404 || status == 400),
    }
}

fn check_nodes(node_type: Option<u8>, attribute: u8, operator: u8, value: &Wanted<'_>) {
    let (attribute, operator) = (pick(&ATTRIBUTES, attribute), pick(&OPERATORS, operator));
    let node_type = node_type.map(|place| pick(&NODE_TYPES, place));
    let value = match value {
        Wanted::Text(text) => (*text).to_owned(),
        Wanted::Number(number) => number.to_string(),
        Wanted::Small(number) => number.to_string(),
        Wanted::Flag(flag) => flag.to_string(),
        Wanted::Found(place) => {
            let found = &STAGE.nodes[usize::from(*place) % STAGE.nodes.len()]["attributes"];
            let found = &found[attribute];
            found.as_str().map_or_else(|| found.to_string(), str::to_owned)
        }
    };
    let of_type = node_type.map(|name| format!("&type={name}")).unwrap_or_default();
    let target = format!(
        "/nodes?attribute={}&op={}&value={}{of_type}",
        escaped(attribute),
        escaped(operator),
        escaped(&value)
    );
    let (status, json) = get(&target);
    assert_eq!(status, 200, "{json}");
    let is_meant = |node: &&Value| {
        node_type.is_none_or(|wanted| node["node_type"] == wanted)
            && node["attributes"].get(attribute).is_some_and(|it| fits(it, operator, &value))
    };
    let found = json.as_array().expect("a list");
    assert!(STAGE.nodes.iter().filter(is_meant).eq(found), "{attribute} {operator} {value:?}");
}

fuzz_target!(|asked: Vec<Asked<'_>>| {
    for asked in asked.iter().take(8) {
        match *asked {
            Asked::Target { method, target } => {
                let methods = [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS];
                ask(methods[usize::from(method % 4)].clone(), target);
            }
            Asked::Loose { path, ref parts } => {
                let path = pick(&["project", "node", "nodes", "diff", "cache", "websocket"], path);
                let parts: Vec<_> = parts
                    .iter()
                    .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
                    .collect();
                ask(Method::GET, &format!("/{path}?{}", parts.join("&")));
            }
            Asked::Nodes { node_type, attribute, operator, ref value } => {
                check_nodes(node_type, attribute, operator, value);
            }
            Asked::Node(id) => {
                let (status, json) = get(&format!("/node?id={}", escaped(id)));
                assert!(status == 404 || json["id"] == id);
            }
            Asked::Known(place) => {
                let node = &STAGE.nodes[usize::from(place) % STAGE.nodes.len()];
                let id = node["id"].as_str().expect("text");
                assert!(get(&format!("/node?id={}", escaped(id))) == (200, node.clone()));
            }
            Asked::Track(index) => check_position("tracks", "track", index),
            Asked::Scene(index) => check_position("scenes", "scene", index),
            Asked::Diff(name) => {
                let (status, json) = get(&format!("/diff?file={}", escaped(name)));
                let leads_away = name.starts_with('/') || name.split('/').any(|it| it == "..");
                assert!(!leads_away || status == 403, "{status} for {name}");
                assert!(status != 200 || json["changes"].as_array().is_some_and(Vec::is_empty));
            }
        }
    }
});
