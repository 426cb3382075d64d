//! A bearer token.

use std::fmt;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use subtle::ConstantTimeEq;

use crate::error::Error;
use crate::http::session::Sessions;

/// A secret that a client must know, and the browsers that have shown it. Clones share these.
#[derive(Clone)]
pub(crate) struct Token {
    secret: String,
    sessions: Arc<Sessions>,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    pub(crate) fn new(secret: String) -> Result<Self, Error> {
        if secret.is_empty() {
            return Err(Error::token("it is empty, which would let nobody in"));
        }
        match secret.bytes().find(|b| !b.is_ascii_graphic()) {
            None => Ok(Self { secret, sessions: Arc::default() }),
            Some(b'\n' | b'\r') => Err(Error::token("there is a line break in it")),
            Some(0xef) if secret.starts_with('\u{feff}') => {
                Err(Error::token("it starts with a byte order mark"))
            }
            Some(_) => Err(Error::token("only visible ASCII without spaces can be sent")),
        }
    }

    /// Takes the same time for every token of the right length, so that it cannot be guessed byte
    /// by byte.
    pub(crate) fn is_in(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(AUTHORIZATION).map_or(&[][..], HeaderValue::as_bytes);
        let Some((scheme, given)) = given.split_at_checked("Bearer ".len()) else { return false };
        scheme.eq_ignore_ascii_case(b"Bearer ") && self.is(given)
    }

    /// Whether it is this one, in the same time as above.
    pub(crate) fn is(&self, given: &[u8]) -> bool {
        given.ct_eq(self.secret.as_bytes()).into()
    }

    pub(crate) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The sessions of another object of the same token go on with this one and its clones.
    pub(crate) fn go_on(&self, before: &Self) {
        if self.is(before.secret.as_bytes()) {
            self.sessions.go_on(&before.sessions);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_to_be_the_right_one() {
        let guard = Token::new("s3cret".to_owned()).expect("a token");
        let is_let_in = |given: &str| {
            let value = HeaderValue::from_str(given).expect("a value");
            guard.is_in(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
        };
        assert!(is_let_in("Bearer s3cret") && is_let_in("bearer s3cret"));
        for given in ["", "Bearer", "Bearer ", "Bearer s3cre", "Bearer s3cret2", "Basic s3cret"] {
            assert!(!is_let_in(given), "{given}");
        }
        assert!(!guard.is_in(&HeaderMap::new()));
        assert_eq!(format!("{guard:?}"), "Token(…)");
    }

    #[test]
    fn a_token_that_no_client_can_send_is_refused() {
        for wrong in ["", " ", "a b", "a\nb", "a\r", "a\0", "\u{feff}a", "ü", "\t", "\u{7f}"] {
            Token::new(wrong.to_owned()).expect_err(wrong);
        }
    }
}
