//! `GET /routes`: what the endpoint and the server answer together.

mod common;

use std::net::SocketAddr;

use ast_server::{Addresses, AstServer, Service};
use common::Stage;
use serde_json::Value;
use tachograph_serve::Endpoint;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ask(to: SocketAddr, method: &str, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.expect("it listens");
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("written");
    stream
}

async fn listed(to: SocketAddr) -> Vec<Value> {
    let mut answer = String::new();
    ask(to, "GET", "/routes").await.read_to_string(&mut answer).await.expect("UTF-8");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
    serde_json::from_str(body).expect("a list")
}

/// Only the status: the answer may have no end.
async fn status(to: SocketAddr, method: &str, path: &str) -> u16 {
    let mut start = [0; "HTTP/1.1 200".len()];
    ask(to, method, path).await.read_exact(&mut start).await.expect("a status line");
    let start = std::str::from_utf8(&start).expect("ASCII");
    start.trim_start_matches("HTTP/1.1 ").parse().expect("a status")
}

#[tokio::test]
async fn the_pages_that_an_endpoint_serves_are_listed_and_no_others() {
    let server = AstServer::new();
    let plain = Endpoint::new(server.metrics().clone());
    let whole = plain.clone().history(tachograph_history::Settings::default());
    for (endpoint, wanted) in [(plain, 404), (whole, 200)] {
        let service = Service::start_with(&server, Addresses::free(), endpoint).await;
        let service = service.expect("free ports");
        let to = service.addresses().http;
        let routes = listed(to).await;
        for path in ["/", "/history", "/doctor", "/report"] {
            assert_eq!(status(to, "GET", path).await, wanted, "{path}");
            let is_listed = routes.iter().any(|route| route["path"] == path);
            assert_eq!(is_listed, wanted == 200, "{path}");
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn every_route_is_listed_and_every_route_of_the_list_answers() {
    let stage = Stage::new().await;
    let to = stage.service.addresses().http;
    let routes = listed(to).await;
    let paths: Vec<_> = routes.iter().map(|it| it["path"].as_str().expect("text")).collect();
    // What the specification names.
    for path in [
        "/metrics",
        "/summary",
        "/health",
        "/project",
        "/tracks",
        "/tracks/{index}",
        "/scenes",
        "/scenes/{index}",
        "/node",
        "/nodes",
        "/diff",
        "/cache",
        "/websocket",
        "/load",
        "/reload",
        "/routes",
    ] {
        assert!(paths.contains(&path), "{path}");
    }
    for route in &routes {
        let [method, path, is] =
            ["method", "path", "is"].map(|key| route[key].as_str().expect("text"));
        assert!(!is.is_empty(), "{path}");
        let asked = path.replace("{index}", "0");
        let answer = status(to, method, &asked).await;
        assert!(![404, 405].contains(&answer), "{method} {path}: {answer}");
        let other = if method == "GET" { "POST" } else { "GET" };
        assert_eq!(status(to, other, &asked).await, 405, "{other} {path}");
    }
}
