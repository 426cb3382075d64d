//! The page as a browser asks for it, and how a browser is let in.

use axum::body::Body;
use axum::http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tachograph_history::Settings;
use tachograph_serve::{Endpoint, Server};

use super::client::{Answer, get, request, with};
use super::{loopback, manual};

async fn serve(token: Option<&str>) -> Server {
    let endpoint = Endpoint::new(manual()).listen(loopback()).history(Settings::default());
    let endpoint = match token {
        Some(token) => endpoint.bearer_token(token).expect("a token"),
        None => endpoint,
    };
    endpoint.serve().await.expect("binds")
}

#[tokio::test]
async fn the_page_and_its_files_come_from_here_and_from_nowhere_else() {
    let server = serve(None).await;
    for asset in tachograph_page::ASSETS {
        let answer = get(server.addr(), asset.path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, asset.media_type));
        assert_eq!(answer.bytes, asset.bytes, "{}", asset.path);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let tag = answer.header("etag");
        for known in [tag.to_owned(), format!("\"x\", {tag}"), "*".to_owned()] {
            let again = with(server.addr(), "GET", asset.path, &[("If-None-Match", &known)]).await;
            assert_eq!((again.status, again.text()), (304, ""), "{known}");
        }
        let other = with(server.addr(), "GET", asset.path, &[("If-None-Match", "\"x\"")]).await;
        assert_eq!(other.status, 200);
    }
    let mut travels = 0;
    for asset in tachograph_page::ASSETS {
        let packs = [("Accept-Encoding", "gzip, deflate, br")];
        let answer = with(server.addr(), "GET", asset.path, &packs).await;
        let is_packed = answer.header("content-encoding") == "gzip";
        travels += answer.bytes.len();
        let whole = match is_packed {
            true => zune_inflate::DeflateDecoder::new(&answer.bytes).decode_gzip().expect("gzip"),
            false => answer.bytes.clone(),
        };
        assert_eq!(whole, asset.bytes, "{}", asset.path);
        assert_eq!((answer.header("vary"), answer.status), ("accept-encoding", 200));
        assert!(is_packed || asset.bytes.len() < 1_400, "{}", asset.path);
        let tag = answer.header("etag").to_owned();
        let plain = std::str::from_utf8(asset.etag.as_bytes()).expect("text");
        assert_eq!(is_packed, tag != plain, "{tag}: a tag for each encoding");
        let again = [packs[0], ("If-None-Match", &*tag)];
        let again = with(server.addr(), "GET", asset.path, &again).await;
        assert_eq!((again.status, again.header("etag")), (304, &*tag));
    }
    assert!(travels < 72 << 10, "the page takes {travels} bytes");
    let missing = get(server.addr(), "/page/none.js").await;
    assert_eq!(missing.json()["error"], "the page has no /page/none.js");
    assert_eq!(request(server.addr(), "POST", "/").await.status, 405);
    let paths = get(server.addr(), "/page/paths.json").await.json();
    for path in ["/", "/live", "/history", "/doctor", "/report", "/metrics"] {
        assert!(paths.as_array().expect("a list").iter().any(|it| it == path), "{path}");
    }
}

#[tokio::test]
async fn a_report_is_a_file_to_save() {
    let endpoint = Endpoint::new(manual()).listen(loopback()).history(Settings::default());
    let server = endpoint.program("../a b\"\n", "1").serve().await.expect("binds");
    let answer = get(server.addr(), "/report").await;
    let named = answer.header("content-disposition");
    assert!(named.starts_with("attachment; filename=\"..ab-20"), "{named}");
    assert!(named.ends_with(".html\"") && !named.contains(['/', ':', '\n']), "{named}");
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text().contains("<title>../a b\"\n · report</title>"));
}

#[tokio::test]
async fn without_a_history_or_where_it_is_not_wanted_there_is_no_page() {
    let plain = Endpoint::new(manual()).listen(loopback()).serve().await.expect("binds");
    let chosen = Endpoint::new(manual()).listen(loopback()).history(Settings::default());
    let chosen = chosen.pages(["/live", "/metrics"]).expect("pages").serve().await.expect("binds");
    for path in ["/", "/page/main.js", "/page/paths.json"] {
        assert_eq!(get(plain.addr(), path).await.status, 404, "{path}");
        assert_eq!(get(chosen.addr(), path).await.status, 404, "{path}");
    }
}

/// Opens an address with a token in it; the cookie that it gives.
async fn enter(server: &Server, query: &str) -> (Answer, String) {
    let answer = get(server.addr(), &format!("/?{query}")).await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    (answer, cookie)
}

#[tokio::test]
async fn a_token_in_the_address_is_exchanged_for_a_session_that_only_reads() {
    let server = serve(Some("s&cret")).await;
    assert_eq!(get(server.addr(), "/").await.status, 401);
    for wrong in ["token=s", "token=", "token=s&cret", "Token=s%26cret", "x=s%26cret"] {
        let (refused, cookie) = enter(&server, wrong).await;
        assert_eq!((refused.status, cookie.as_str()), (401, ""), "{wrong}");
    }
    let (entered, cookie) = enter(&server, "token=s%26cret").await;
    assert_eq!((entered.status, entered.header("location")), (303, "./"));
    assert_eq!((entered.header("cache-control"), entered.text()), ("no-store", ""));
    let name = format!("tachograph-{}=", server.addr().port());
    let id = cookie.strip_prefix(&name).expect("named by the port");
    assert!(id.len() == 32 && !id.contains("cret"));
    let told = entered.header("set-cookie");
    // Without a path of its own, it is for the folder of the address that was opened.
    assert_eq!(told, format!("{cookie}; HttpOnly; SameSite=Lax"));
    assert_ne!(enter(&server, "token=s%26cret").await.1, cookie);

    let beside = format!("a=b; {cookie}; c");
    for path in ["/", "/page/main.js", "/metrics", "/doctor", "/page/paths.json"] {
        assert_eq!(with(server.addr(), "GET", path, &[("Cookie", &beside)]).await.status, 200);
    }
    let wrong = [name.clone(), format!("{name}{}", "0".repeat(32)), format!("other={id}")];
    for wrong in wrong.iter().chain([&cookie[..cookie.len() - 1].to_owned()]) {
        let answer = with(server.addr(), "GET", "/metrics", &[("Cookie", wrong)]).await;
        assert_eq!(answer.status, 401, "{wrong}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let answer = with(server.addr(), method, "/metrics", &[("Cookie", &cookie)]).await;
        assert_eq!(answer.status, 401, "{method}");
    }
    let elsewhere = [("Cookie", cookie.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(with(server.addr(), "GET", "/metrics", &elsewhere).await.status, 403);
    let rebound = [("Cookie", cookie.as_str()), ("Host", "evil.example")];
    assert_eq!(with(server.addr(), "GET", "/metrics", &rebound).await.status, 403);
    // No other path takes a token from its address.
    assert_eq!(get(server.addr(), "/metrics?token=s%26cret").await.status, 401);
}

/// What a browser makes of a relative address in a document at `base`.
fn resolved(base: &str, relative: &str) -> String {
    let folder = &base[..=base.rfind('/').expect("a path")];
    format!("{folder}{}", relative.strip_prefix("./").expect("a relative address"))
}

/// All relative addresses in quotes.
fn addresses(html: &str) -> Vec<&str> {
    let parts = html.match_indices("\"./").map(|(at, _)| &html[at + 1..]);
    parts.filter_map(|rest| rest.split('"').next()).collect()
}

#[tokio::test]
async fn below_another_path_the_page_finds_its_files_and_lets_a_browser_in() {
    let endpoint = Endpoint::new(manual()).listen(loopback()).history(Settings::default());
    let endpoint = endpoint.bearer_token("secret").expect("a token");
    let router = || endpoint.router().expect("threads");
    let app = axum::Router::new()
        .nest("/plain", router())
        .nest("/slash/", router())
        .nest("/two/deep", router())
        .nest_service("/service", router())
        .nest("/of/{any}", router());
    let app = TowerToHyperService::new(app);
    let ask = async |path: &str, cookie: &str| {
        let request = Request::get(path).header("cookie", cookie);
        let request = request.body(Body::empty()).expect("a request");
        let (head, body) = app.call(request).await.expect("an answer").into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let header = |name| head.headers.get(name).map_or("", |it| it.to_str().expect("text"));
        let told = [header("location"), header("set-cookie"), header("cache-control")];
        (head.status.as_u16(), told.map(str::to_owned), String::from_utf8_lossy(&body).into_owned())
    };
    for (base, root) in [
        ("/plain", "/plain/"),
        ("/slash/", "/slash/"),
        ("/two/deep", "/two/deep/"),
        ("/service", "/service/"),
        ("/service/", "/service/"),
        ("/of/a&b", "/of/a&b/"),
    ] {
        let (status, [to, cookie, _], _) = ask(&format!("{base}?token=secret"), "").await;
        assert_eq!((status, resolved(base, &to).as_str()), (303, base));
        let cookie = cookie.split(';').next().unwrap_or_default();
        let (status, [.., cached], html) = ask(base, cookie).await;
        assert_eq!((status, cached.as_str()), (200, "no-cache"), "{base}");
        let links = addresses(&html);
        assert!(links.len() >= 5, "{links:?}");
        for link in links {
            let path = resolved(base, link);
            assert!(path.replace("&amp;", "&").starts_with(root), "{path}");
            // This program has no summary.
            let expected = if path.ends_with("/summary") { 404 } else { 200 };
            assert_eq!(ask(&path.replace("&amp;", "&"), cookie).await.0, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn another_token_ends_all_sessions_and_the_same_one_ends_none() {
    let server = serve(Some("first")).await;
    let (_, cookie) = enter(&server, "token=first").await;
    let read = async || with(server.addr(), "GET", "/metrics", &[("Cookie", &cookie)]).await.status;
    for (token, expected) in [("first", 200), ("second", 401), ("first", 401)] {
        let settings = Endpoint::new(manual()).bearer_token(token).expect("a token");
        server.let_in(&settings);
        assert_eq!(read().await, expected, "{token}");
    }
}
