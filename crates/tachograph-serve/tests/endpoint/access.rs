//! Who is let in, seen from outside.

use tachograph_serve::Endpoint;

use super::client::{get, with};
use super::{loopback, manual};

const PATHS: [&str; 7] =
    ["/metrics", "/metrics.json", "/snapshot", "/summary", "/health", "/-/ready", "/nothing"];

#[tokio::test]
async fn a_name_that_somebody_has_resolve_here_is_refused_on_every_path() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    for path in PATHS {
        let refused = with(server.addr(), "GET", path, &[("Host", "evil.example:9464")]).await;
        assert_eq!(refused.status, 403, "{path}");
        let told = "\"evil.example\" is no known name of this endpoint: use its address, or allow \
                    the host";
        assert_eq!(refused.json()["error"], told);
    }
    let allowed =
        Endpoint::new(manual()).allow_host("Good.example").expect("a name").listen(loopback());
    let server = allowed.serve().await.expect("binds");
    for (host, status) in [("good.example:1", 200), ("evil.example", 403), ("localhost", 200)] {
        let answer = with(server.addr(), "GET", "/metrics", &[("Host", host)]).await;
        assert_eq!(answer.status, status, "{host}");
    }
    let open = Endpoint::new(manual()).allow_any_host().listen(loopback());
    let server = open.serve().await.expect("binds");
    assert_eq!(
        with(server.addr(), "GET", "/metrics", &[("Host", "evil.example")]).await.status,
        200
    );
}

#[tokio::test]
async fn a_page_from_elsewhere_is_refused_and_no_answer_is_shared_with_pages() {
    let server = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let asked_by =
        async |origin| with(server.addr(), "GET", "/metrics", &[("Origin", origin)]).await;
    let refused = asked_by("https://evil.example").await;
    assert_eq!(refused.status, 403);
    let told =
        "pages from \"https://evil.example\" may not read this: allow the host if they should";
    assert_eq!(refused.json()["error"], told);
    for answer in [refused, asked_by("http://localhost:1").await, get(server.addr(), "/x").await] {
        assert_eq!(answer.header("access-control-allow-origin"), "");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn without_the_token_no_path_answers() {
    let endpoint = Endpoint::new(manual()).summary(|_| 7).listen(loopback());
    let endpoint = endpoint.bearer_token("s3cret").expect("a token");
    let server = endpoint.serve().await.expect("binds");
    for path in PATHS {
        for headers in [&[][..], &[("Authorization", "Bearer S3cret")]] {
            let refused = with(server.addr(), "GET", path, headers).await;
            assert_eq!((refused.status, refused.header("www-authenticate")), (401, "Bearer"));
        }
        let right = [("Authorization", "Bearer s3cret")];
        let answer = with(server.addr(), "GET", path, &right).await;
        let expected = match path {
            "/nothing" => 404,
            "/-/ready" => 503,
            _ => 200,
        };
        assert_eq!(answer.status, expected, "{path}");
    }
}
