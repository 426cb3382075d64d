//! The first message to a viewer: the whole tree.
//!
//! It is written from a copy, so that events only wait for the copy, and not while it is written. A
//! viewer takes its seat before that: every later change is queued for it, and those already in the
//! copy are skipped by their versions. Viewers that arrive while a tree is written need a newer
//! one, which is written once for all of them.

use std::time::Duration;

use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;

use crate::server::ast_server::AstServer;
use crate::viewers::whole_tree::WholeTree;

/// How often to check whether some viewer must go, while there is no room for a tree.
const ROOM_POLL: Duration = Duration::from_millis(100);

impl AstServer {
    /// The tree at this version or later; `None` if no set is loaded. If viewers hold too much
    /// memory for another tree, waits until some have read or were disconnected.
    ///
    /// # Errors
    /// If writing it panicked.
    pub(crate) async fn whole_tree(&self, since: u64) -> Result<Option<WholeTree>, JoinError> {
        // Checked before waiting for a turn, which may not be needed.
        if let Some(tree) = self.state().written(since) {
            return Ok(Some(tree));
        }
        let turn = self.writing().clone().lock_owned().await;
        if let Some(tree) = self.state().written(since) {
            return Ok(Some(tree));
        }
        while !self.has_room_for_tree() {
            self.state().relieve();
            let _ = timeout(ROOM_POLL, self.memory().freed()).await;
        }
        let server = self.clone();
        // The turn moves along, because the viewer that waits for this tree may leave before it is
        // written.
        spawn_blocking(move || {
            let _turn = turn;
            server.write_tree()
        })
        .await
    }

    fn has_room_for_tree(&self) -> bool {
        let bytes = self.state().tree_bytes();
        self.memory().has_room_for(bytes)
    }

    fn write_tree(&self) -> Option<WholeTree> {
        let _turn = self.copying();
        let copy = self.state().copy()?;
        let tree = copy.write(self.memory());
        self.state().keep(tree.clone());
        Some(tree)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::server::ast_server::Outcome;
    use crate::viewers::hub::Seat;
    use crate::viewers::mailbox::Next;

    fn rename(server: &AstServer, name: &str) {
        let args = [0.into(), name.into()];
        let outcome = server.process_live_event("/live/track/renamed", &args, 1, 0.0);
        assert_eq!(outcome, Outcome::Processed);
    }

    fn join(server: &AstServer) -> Seat {
        server.state().join(Arc::default())
    }

    /// How many trees were written, and how many diffs.
    fn messages(server: &AstServer) -> u64 {
        server.metrics().get_timing("websocket.message.size").map_or(0, |sizes| sizes.count)
    }

    #[tokio::test]
    async fn what_comes_while_a_tree_is_written_follows_it_and_what_is_in_it_does_not() {
        let server = AstServer::small();
        let mut seat = join(&server);
        assert!(server.state().take_tree(&mut seat), "the tree is due");
        rename(&server, "in the tree");
        let copy = server.state().copy().expect("a set");
        // With the state locked this would wait forever.
        rename(&server, "after it");
        let tree = copy.write(server.memory());
        assert!(tree.message.contains("in the tree") && !tree.message.contains("after it"));
        seat.baseline = tree.version;
        let Next::Messages(news) = seat.mailbox.next(seat.baseline).await else {
            panic!("the tree again");
        };
        assert_eq!(news.len(), 1);
        let text = &news[0];
        assert!(text.starts_with(r#"{"type":"DIFF_UPDATE""#) && text.contains("after it"));
    }

    #[tokio::test]
    async fn those_who_wait_for_a_tree_are_sent_one_that_is_written_once() {
        let server = AstServer::small();
        let first = join(&server);
        rename(&server, "a");
        let turn = server.writing().lock().await;
        let (second, third) = (join(&server), join(&server));
        let seats = [first, second, third];
        let before = messages(&server);
        let trees = seats.iter().map(|seat| server.whole_tree(seat.baseline));
        let (trees, ()) = tokio::join!(futures_util::future::join_all(trees), async {
            drop(turn);
        });
        let version = seats[2].baseline;
        for tree in trees {
            let tree = tree.expect("no panic").expect("a set");
            assert_eq!(tree.version, version, "not older than when the last one came");
        }
        assert_eq!(messages(&server), before + 1);

        // A viewer that arrives after a change needs a newer tree, which an older one does not
        // replace.
        let old = server.state().copy().expect("a set").write(server.memory());
        rename(&server, "b");
        let late = join(&server);
        let tree = server.whole_tree(late.baseline).await.expect("no panic").expect("a set");
        assert_eq!(tree.version, version + 1);
        assert!(tree.message.contains(r#""name":"b""#));
        server.state().keep(old);
        assert!(server.state().written(late.baseline).is_some());
    }
}
