//! Faults 12 and 13: whatever comes over the network is counted and survived, and nobody who
//! behaves loses anything by it.

mod common;

use std::net::SocketAddr;

use ast_server::{Arg, AstServer};
use common::replay::{replay, without_hashes};
use common::{Stage, until};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const RENAMED: &str = "/live/track/renamed";

/// Memory of this process that is in RAM, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes << 10
}

/// A datagram of random bytes, some of which start as valid ones do.
fn random(random: &mut fastrand::Rng) -> Vec<u8> {
    const STARTS: [&[u8]; 5] =
        [b"", b"/live/seq\0\0\0,ifs\0\0\0\0", b"#bundle\0", b"/live/track/mute\0\0\0\0,ii\0", b"/"];
    let mut bytes = random.choice(STARTS).expect("some").to_vec();
    let len = random.usize(0..96);
    bytes.extend(std::iter::repeat_with(|| random.u8(..)).take(len));
    bytes
}

/// Bundles inside each other, as deep as a datagram can hold them.
fn nested() -> Vec<u8> {
    let mut bytes = Vec::new();
    for level in (0_u32..2_500).rev() {
        bytes.extend_from_slice(b"#bundle\0\0\0\0\0\0\0\0\x01");
        if level > 0 {
            bytes.extend_from_slice(&(level * 20 - 4).to_be_bytes());
        }
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_random_datagrams_are_counted_and_change_nothing_but_by_valid_events() {
    const ROUNDS: usize = 100;
    const DATAGRAMS: usize = 10_000;
    let stage = Stage::new().await;
    let mut dice = fastrand::Rng::with_seed(12);
    let mut sent: i128 = 0;
    let mut settled = 0;
    for round in 0..ROUNDS {
        for _ in 0..DATAGRAMS / 100 {
            for _ in 0..100 {
                stage.live.send_raw(&random(&mut dice)).expect("sent");
                sent += 1;
            }
            // The smallest receive buffer of a kernel holds so many.
            stage.until_count("udp.packet.received", sent).await;
        }
        stage.live.send_raw(&nested()).expect("sent");
        sent += 1;
        stage.until_count("udp.packet.received", sent).await;
        if round == ROUNDS / 10 {
            settled = resident();
        }
    }
    let grown = resident().saturating_sub(settled);
    assert!(grown < 16 << 20, "{grown} bytes more after {sent} datagrams");

    // Behind them all, so that they are done with when it is.
    let tree = stage.viewer().await.tree().await;
    let name = tree["children"][0]["attributes"]["name"].as_str().expect("a name").to_owned();
    let mut live =
        ast_server::EventSender::connect(stage.service.addresses().udp).expect("a socket");
    live.send(RENAMED, &[0.into(), Arg::from(&format!("{name}!"))]).expect("sent");
    until("the last event is processed", || {
        let info = stage.server.get_project_info().expect("a set");
        info.info.track_names[0] == format!("{name}!")
    })
    .await;
    assert_eq!(stage.count("udp.socket.dropped"), 0);
    let malformed = stage.count("udp.packet.malformed");
    let read = stage.count("udp.packet.received");
    assert!(malformed > sent / 2 && malformed < read, "{malformed} of {read}");
    common::assert_conserved(&stage.server);
}

/// What a hundred clients do that nobody wants.
async fn misbehave(to: SocketAddr, number: usize) -> Option<common::Viewer> {
    match number % 5 {
        // Never reads.
        0 => Some(common::Viewer::connect(to).await),
        // Vanishes in the middle of the tree.
        1 => {
            common::Viewer::connect(to).await;
            None
        }
        // Sends garbage where frames should be.
        2 => {
            let mut viewer = common::Viewer::connect(to).await;
            let garbage: Vec<u8> = (0..9_999_u32).map(|it| (it * 7 + 3) as u8).collect();
            let _ = viewer.socket.get_mut().write_all(&garbage).await;
            Some(viewer)
        }
        // Sends a message of 100 MB, or as much of it as is taken.
        3 => {
            let mut viewer = common::Viewer::connect(to).await;
            let stream = viewer.socket.get_mut();
            let mut sent = stream.write_all(&[0x82, 0xff, 0, 0, 0, 0, 6, 0x40, 0, 0]).await;
            for _ in 0..1_600 {
                sent = sent.and(stream.write_all(&[0x20; 1 << 16]).await);
            }
            assert!(sent.is_err(), "all 100 MB were read");
            Some(viewer)
        }
        // Never finishes its handshake.
        _ => {
            let mut stream = TcpStream::connect(to).await.expect("it listens");
            let _ = stream.write_all(b"GET / HTTP/1.1\r\nUpgrade: webso").await;
            tokio::spawn(async move {
                let _stream = stream;
                std::future::pending::<()>().await;
            });
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_hundred_bad_clients_a_good_one_loses_nothing() {
    const EVENTS: usize = 500;
    let stage = Stage::with(AstServer::builder().client_queue(64)).await;
    let to = stage.service.addresses().websocket;
    let mut good = stage.viewer().await;
    let mut tree = good.tree().await;
    let bad: Vec<_> = (0..100).map(|number| tokio::spawn(misbehave(to, number))).collect();

    let padding = "x".repeat(4_000);
    for number in 0..EVENTS {
        let name = format!("{number} {padding}");
        let outcome = stage.server.process_live_event(
            RENAMED,
            &[0.into(), Arg::from(&name)],
            number as u32,
            0.0,
        );
        assert_eq!(outcome, ast_server::Outcome::Processed);
        let changes = good.changes().await;
        assert_eq!(changes[0]["seq_num"], number, "each change, once, in order");
        replay(&mut tree, &changes);
    }
    let mut kept = Vec::new();
    for client in bad {
        kept.push(client.await.expect("no panic"));
    }
    assert_eq!(stage.count("websocket.client.resynced"), 0, "the good one is resynchronised never");
    let mut later = stage.viewer().await;
    let now: Value = later.tree().await;
    assert!(without_hashes(now) == without_hashes(tree));
    drop(kept);
}
