//! Lets a browser in, which cannot send a token of its own: `/?token=…` is exchanged once for a
//! session, whose random id the browser keeps in a cookie.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::header::{COOKIE, HOST, LOCATION, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use subtle::{Choice, ConstantTimeEq};

use crate::authority;
use crate::http::files::last_segment;
use crate::http::token::Token;
use crate::pages::reply::error;

/// Browsers at a time. The oldest session ends when there is one more.
const SESSIONS_MAX: usize = 64;

const ID_BYTES: usize = 16;

/// The ids of the sessions that were begun with a token, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<VecDeque<String>>);

impl Sessions {
    fn begin(&self) -> Result<String, getrandom::Error> {
        let mut bytes = [0; ID_BYTES];
        getrandom::fill(&mut bytes)?;
        let id = format!("{:032x}", u128::from_ne_bytes(bytes));
        let mut ids = self.ids();
        ids.push_back(id.clone());
        while ids.len() > SESSIONS_MAX {
            ids.pop_front();
        }
        Ok(id)
    }

    /// Compares with every id to its end, so that none can be found out byte by byte.
    fn know(&self, given: &str) -> bool {
        let ids = self.ids();
        let same = ids.iter().map(|id| id.as_bytes().ct_eq(given.as_bytes()));
        same.fold(Choice::from(0), |any, it| any | it).into()
    }

    /// Takes over the sessions of another.
    pub(crate) fn go_on(&self, before: &Self) {
        let ids = before.ids().clone();
        *self.ids() = ids;
    }

    fn ids(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The token in the query of an address.
pub(crate) fn token_in(query: Option<&str>) -> Option<String> {
    let given = query?.split('&').rev().find_map(|pair| pair.strip_prefix("token="))?;
    Some(percent_decode_str(given).decode_utf8_lossy().into_owned())
}

const COOKIE_NAME: &str = "tachograph-";

/// Whether a request has the cookie of a session. It may be sent to another port than the one where
/// the session began: that of a server that lets in whom the endpoint lets in.
pub(crate) fn is_in(token: &Token, headers: &HeaderMap) -> bool {
    let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies =
        lines.flat_map(|line| line.split(';')).filter_map(|it| it.trim().split_once('='));
    cookies.any(|(name, id)| name.starts_with(COOKIE_NAME) && token.sessions().know(id))
}

/// Begins a session, and sends the browser to the address that it asked for without the token.
///
/// Both that and the cookie hold where the browser sees the page, which a proxy may show below a
/// path of its own: the address is relative, and the cookie's path is the browser's default, the
/// folder of the address. Browsers send a `secure` cookie over TLS only.
pub(crate) fn begin(token: &Token, headers: &HeaderMap, asked: &str, is_secure: bool) -> Response {
    let Ok(id) = token.sessions().begin() else {
        let told = "the system has no random numbers for a session: use the header instead";
        return error(StatusCode::SERVICE_UNAVAILABLE, told);
    };
    // Cookies are shared by all ports of a host, so each port has a name of its own.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let port = host.and_then(authority::parse).and_then(|(_, port)| port).unwrap_or_default();
    let secure = if is_secure { "; Secure" } else { "" };
    let cookie = format!("{COOKIE_NAME}{port}={id}; HttpOnly; SameSite=Lax{secure}");
    // A port and hexadecimal digits: always a value.
    let cookie = HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""));
    let to = format!("./{}", last_segment(asked).unwrap_or_default());
    let to = [
        // A part of the request's own address: always a value.
        (LOCATION, HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("./"))),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (SET_COOKIE, cookie),
    ];
    (StatusCode::SEE_OTHER, to).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_an_id_of_its_own_and_the_oldest_ends() {
        let sessions = Sessions::default();
        let ids: Vec<_> = (0..=SESSIONS_MAX).map(|_| sessions.begin().expect("an id")).collect();
        assert!(!sessions.know(&ids[0]) && ids[1..].iter().all(|id| sessions.know(id)));
        assert!(ids.iter().all(|id| id.len() == 32) && ids[0] != ids[1]);
        assert!(!sessions.know("") && !sessions.know(&ids[1][..31]));
    }

    #[test]
    fn a_token_in_an_address_may_be_escaped() {
        let read = |query| token_in(Some(query));
        assert_eq!(read("token=a%26b%2B+").as_deref(), Some("a&b++"));
        assert_eq!(read("x=1&token=a&y").as_deref(), Some("a"));
        assert_eq!((read("tokens=a"), read(""), token_in(None)), (None, None, None));
    }
}
