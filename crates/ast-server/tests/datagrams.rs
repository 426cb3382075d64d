//! Datagrams as they come over the wire: in order or not, whole or not.

mod common;

use std::net::UdpSocket;

use ast_server::{Arg, AstServer, EventSender, encode_event, encode_message};
use common::{Stage, assert_conserved, until};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const MUTE: &str = "/live/track/mute";

fn mute(seq: u32) -> Vec<u8> {
    encode_event(seq, MUTE, &[Arg::from(0), Arg::from(seq.is_multiple_of(2))])
}

/// Sends numbers one after another, and waits until all are read.
async fn send(stage: &Stage, from: &EventSender, numbers: &[u32]) {
    let before = stage.count("udp.packet.received");
    for &number in numbers {
        from.send_raw(&mute(number)).expect("the server listens");
    }
    let after = before + i128::try_from(numbers.len()).expect("a short list");
    stage.until_count("udp.packet.received", after).await;
    // A marker goes the same way: when it is counted, all before it is done.
    let markers = stage.count("udp.batch.marker");
    from.send_raw(&encode_message("/live/batch/end", &[Arg::from(1)])).expect("sent");
    stage.until_count("udp.batch.marker", markers + 1).await;
}

/// Dropped, gaps, recovered, duplicates, restarts, events received.
fn counts(stage: &Stage) -> [i128; 6] {
    [
        "udp.packet.dropped",
        "udp.sequence.gap",
        "udp.packet.recovered",
        "udp.packet.duplicate",
        "udp.sequence.restart",
        "events.received",
    ]
    .map(|name| stage.count(name))
}

#[tokio::test]
async fn nothing_waits_once_the_last_datagram_is_processed() {
    let stage = Stage::new().await;
    send(&stage, &stage.live, &(0..60).collect::<Vec<_>>()).await;
    let depth = || stage.server.metrics().get_gauge("udp.queue.depth").expect("it was set");
    until("an empty queue", || depth().current == Some(0.0)).await;
    assert!(depth().max >= Some(1.0), "{:?}", depth());
}

#[tokio::test]
async fn gaps_late_numbers_duplicates_and_restarts_are_counted() {
    let stage = Stage::new().await;
    send(&stage, &stage.live, &[100, 101]).await;
    assert_eq!(counts(&stage), [0, 0, 0, 0, 0, 2], "the first number is the baseline");
    send(&stage, &stage.live, &[105, 106]).await;
    assert_eq!(counts(&stage), [3, 1, 0, 0, 0, 4], "a gap of three");
    send(&stage, &stage.live, &[103, 102]).await;
    assert_eq!(counts(&stage), [3, 1, 2, 0, 0, 6], "late ones fill it, and are processed");
    send(&stage, &stage.live, &[103, 106, 106]).await;
    assert_eq!(counts(&stage), [3, 1, 2, 3, 0, 6], "duplicates are no events");
    send(&stage, &stage.live, &[5_000_000, 0, 1]).await;
    assert_eq!(counts(&stage), [3, 1, 2, 3, 2, 9], "up by far, and back to 0");

    let again = EventSender::connect(stage.service.addresses().udp).expect("a socket");
    send(&stage, &again, &[0, 1, 2]).await;
    assert_eq!(counts(&stage), [3, 1, 2, 3, 2, 12], "a new port is a run of its own");

    let summary = stage.server.get_metrics_summary();
    assert_eq!(summary.udp_listener.packets_dropped, 1, "what was recovered is not lost");
    assert_eq!(summary.udp_listener.sequence_gaps, 1);
    let newest = stage.server.metrics().get_gauge("udp.current_sequence").expect("a gauge");
    assert_eq!(newest.current, Some(2.0));
    assert_conserved(&stage.server);
}

#[tokio::test]
async fn turns_of_the_event_loop_hold_every_datagram() {
    let stage = Stage::new().await;
    let numbers: Vec<_> = (0..50).collect();
    send(&stage, &stage.live, &numbers).await;
    let tags = [("loop", "ast-events")];
    let of = |name| stage.server.metrics().with_tags(&tags).get_timing(name).expect("a timing");
    let received = stage.count("udp.packet.received") as f64;
    // The last turn may still be about to end.
    until("the last turn has ended", || of("loop.turn.events").sum == received).await;
    let (turns, events) = (of("loop.turn.duration").count, of("loop.turn.events"));
    assert_eq!((turns, events.min >= Some(1.0)), (events.count, true));
}

#[tokio::test]
async fn numbers_wrap_without_a_gap() {
    let stage = Stage::new().await;
    send(&stage, &stage.live, &[(1 << 31) - 2, (1 << 31) - 1, 0, 1]).await;
    assert_eq!(counts(&stage), [0, 0, 0, 0, 0, 4]);
}

#[tokio::test]
async fn markers_are_counted_and_a_bundle_is_unpacked() {
    use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};
    let stage = Stage::new().await;
    let message = |seq: i32| {
        let path = OscType::String(MUTE.to_owned());
        let args = vec![seq.into(), 0.0_f32.into(), path, 0.into(), true.into()];
        OscPacket::Message(OscMessage { addr: "/live/seq".to_owned(), args })
    };
    let timetag = OscTime::from((0, 1));
    let inner = OscPacket::Bundle(OscBundle { timetag, content: vec![message(1), message(2)] });
    let marker = OscMessage { addr: "/live/batch/start".to_owned(), args: vec![7.into()] };
    let content = vec![OscPacket::Message(marker), message(0), inner];
    let bundle = encoder::encode(&OscPacket::Bundle(OscBundle { timetag, content }));
    stage.live.send_raw(&bundle.expect("it encodes")).expect("sent");
    stage.until_count("events.processed", 3).await;
    assert_eq!(stage.count("udp.packet.received"), 1);
    assert_eq!(stage.count("udp.batch.marker"), 1);
    assert_eq!(counts(&stage), [0, 0, 0, 0, 0, 3]);
    assert_conserved(&stage.server);
}

#[tokio::test]
async fn a_bundle_with_one_bad_message_changes_nothing() {
    let stage = Stage::new().await;
    let before = stage.server.root_hash().expect("a set");
    let bad = encode_message("/live/seq", &[Arg::from(true), Arg::from(0.0), Arg::from(MUTE)]);
    let mut bundle = b"#bundle\0\0\0\0\0\0\0\0\x01".to_vec();
    for element in [mute(0), bad] {
        bundle.extend(u32::try_from(element.len()).expect("small").to_be_bytes());
        bundle.extend(element);
    }
    stage.live.send_raw(&bundle).expect("sent");
    stage.until_count("udp.packet.malformed", 1).await;
    assert_eq!(stage.count("events.received"), 0);
    assert_eq!(stage.server.root_hash().expect("a set"), before);
}

/// Random bytes, and pieces of what a sender would send.
fn garbage(runner: &mut TestRunner) -> Vec<u8> {
    let random = proptest::collection::vec(proptest::num::u8::ANY, 0..300);
    let mut bytes = random.new_tree(runner).expect("bytes").current();
    let whole = mute(7);
    match bytes.len() % 3 {
        0 => bytes.insert(0, 0xff),
        1 => bytes = whole[..bytes.len() % (whole.len() - 1)].to_vec(),
        _ => bytes = [&whole[..12], &bytes].concat(),
    }
    bytes
}

#[tokio::test]
async fn garbage_is_counted_changes_nothing_and_never_stops_the_listener() {
    let stage = Stage::new().await;
    let before = stage.server.root_hash().expect("a set");
    let mut runner = TestRunner::deterministic();
    let mut hostile: Vec<Vec<u8>> = (0..1_000).map(|_| garbage(&mut runner)).collect();
    let path = Arg::from(MUTE);
    for seq in [Arg::from(true), Arg::from(1.0), Arg::from("1"), Arg::Other, Arg::from(-1)] {
        hostile.push(encode_message("/live/seq", &[seq, Arg::from(0.0), path]));
    }
    // Longer than what is read of a datagram, and bundles that would overflow a stack.
    hostile.push(encode_event(0, "/live/track/renamed", &[0.into(), (&"x".repeat(20_000)).into()]));
    hostile.push([&b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\xa0\0"[..]].concat().repeat(2_000));
    let sent = i128::try_from(hostile.len()).expect("a short list");
    for (number, datagram) in (1..).zip(&hostile) {
        stage.live.send_raw(datagram).expect("sent");
        // The kernel's buffer may be small.
        if number % 100 == 0 {
            stage.until_count("udp.packet.received", number).await;
        }
    }
    stage.until_count("udp.packet.malformed", sent).await;
    assert_eq!(stage.count("udp.packet.received"), sent);
    assert_eq!(stage.count("events.received"), 0);
    assert_eq!(stage.server.root_hash().expect("a set"), before);

    stage.live.send_raw(&mute(0)).expect("sent");
    stage.until_count("events.processed", 1).await;
    assert_conserved(&stage.server);
}

#[tokio::test]
async fn wrong_types_are_rejected_unknown_paths_unhandled_and_all_is_conserved() {
    let mut stage = Stage::new().await;
    let before = stage.server.root_hash().expect("a set");
    stage.live.send(MUTE, &[Arg::from("0"), Arg::from(1)]).expect("sent");
    stage.live.send("/live/track/volume", &[Arg::from(0), Arg::from("loud")]).expect("sent");
    stage.live.send("/live/scene/renamed", &[Arg::from(0)]).expect("sent");
    stage.live.send("/live/hostile/1", &[]).expect("sent");
    stage.live.send("/not/live", &[]).expect("sent");
    stage.until_count("events.received", 5).await;
    stage.until_count("events.unhandled", 2).await;
    assert_eq!(stage.count("events.rejected"), 3);
    assert_eq!(stage.server.root_hash().expect("a set"), before);
    assert_conserved(&stage.server);
}

/// On loopback, what was read and what the kernel dropped is what was sent.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kernel_dropped_is_read_back() {
    let stage = Stage::with(AstServer::builder()).await;
    // Large events: the event loop falls behind, its queue fills, then the kernel's buffer.
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let to = stage.service.addresses().udp;
    let event = encode_message("/live/track/renamed", &[0.into(), (&"x".repeat(8_000)).into()]);
    let mut sent: i128 = 0;
    let mut flood = |datagrams: usize| {
        for _ in 0..datagrams {
            socket.send_to(&event, to).expect("sent");
            sent += 1;
        }
        sent
    };
    let start = std::time::Instant::now();
    loop {
        let sent = flood(5_000);
        // Where the server keeps up with the flood there is nothing to read back yet.
        if stage.count("udp.socket.dropped") > 0 {
            let known = || stage.count("udp.packet.received") + stage.count("udp.socket.dropped");
            // The kernel's count comes with the next datagram.
            let mut more = 0;
            while known() < sent + more {
                assert!(start.elapsed() < common::DEADLINE, "{} of {}", known(), sent + more);
                flood(1);
                more += 1;
                tokio::time::sleep(std::time::Duration::from_millis(2)).await;
            }
            assert_eq!(known(), sent + more);
            return;
        }
        assert!(start.elapsed() < common::DEADLINE, "the kernel never dropped a datagram");
    }
}

/// Sends a number with an event.
fn numbered(from: &EventSender, seq: u32, path: &str, args: &[Arg<'_>]) {
    from.send_raw(&encode_event(seq, path, args)).expect("the server listens");
}

#[tokio::test]
async fn a_sender_that_starts_again_before_1024_loses_nothing() {
    let stage = Stage::new().await;
    let mut first = stage.server.get_metrics_summary().event_processing.received;
    for run in [0.25, 0.75] {
        for i in 0..300_u16 {
            let value = Arg::from(run + f32::from(i) / 10_000.0);
            numbered(&stage.live, i.into(), "/live/track/volume", &[Arg::from(0), value]);
        }
        first += 300;
        stage.until_count("events.processed", first.into()).await;
    }
    assert_eq!(counts(&stage), [0, 0, 0, 0, 1, 600]);
}

#[tokio::test]
async fn losses_are_counted_whoever_else_sends() {
    let stage = Stage::new().await;
    let stranger = EventSender::connect(stage.service.addresses().udp).expect("a socket");
    for seq in 0..101 {
        send(&stage, &stage.live, &[2 * seq]).await;
        send(&stage, &stranger, &[seq]).await;
    }
    assert_eq!(counts(&stage), [100, 100, 0, 0, 0, 202], "no loss is hidden, nobody restarts");
}

#[tokio::test]
async fn a_late_event_does_not_undo_a_newer_one() {
    let stage = Stage::new().await;
    let volume = |track: i32, value: f32| [Arg::from(track), Arg::from(value)];
    let path = "/live/track/volume";
    numbered(&stage.live, 1, path, &volume(0, 0.1));
    numbered(&stage.live, 3, path, &volume(0, 0.9));
    numbered(&stage.live, 2, path, &volume(0, 0.5));
    // Of another thing: applied, late as it is.
    numbered(&stage.live, 6, path, &volume(0, 0.8));
    numbered(&stage.live, 5, path, &volume(1, 0.25));
    // What came after it was rejected, and said nothing.
    numbered(&stage.live, 8, "/live/track/pan", &[Arg::from(0), Arg::from("left")]);
    numbered(&stage.live, 7, "/live/track/pan", &[Arg::from(0), Arg::from(-0.5)]);
    // Everything stands elsewhere by then.
    numbered(&stage.live, 10, "/live/track/deleted", &[Arg::from(3)]);
    numbered(&stage.live, 9, "/live/track/mute", &[Arg::from(0), Arg::from(true)]);
    // Bad arguments are rejected, late or not.
    numbered(&stage.live, 12, path, &volume(0, 0.75));
    numbered(&stage.live, 11, path, &volume(0, f32::NAN));
    stage.until_count("events.received", 11).await;
    stage.until_count("udp.packet.recovered", 5).await;
    stage.until_count("events.processed", 9).await;
    let track = |index: usize| -> serde_json::Value {
        let json = stage.server.get_track(index).expect("a track");
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON")["attributes"].take()
    };
    assert_eq!(track(0)["volume"], 0.75);
    assert_eq!(track(0)["pan"], -0.5);
    assert_eq!(track(0)["is_muted"], false, "older than the last structural event");
    assert_eq!(track(1)["volume"], 0.25);
    assert_eq!(stage.count("udp.packet.superseded"), 2);
    assert_eq!(stage.count("events.rejected"), 2);
    assert_conserved(&stage.server);
}

/// However datagrams of one run overtake each other, values are those that were sent last.
#[tokio::test]
async fn values_are_those_sent_last_in_whatever_order_they_come() {
    let paths = ["/live/track/volume", "/live/track/pan", "/live/device/param"];
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let events: Vec<_> = (0..300)
            .map(|_| {
                let path = random.usize(..paths.len());
                let position = || Arg::from(0);
                let value = Arg::from(f32::from(random.u8(..)) / 256.0);
                let track = Arg::from(random.i32(0..3));
                match path {
                    2 => (path, vec![track, position(), Arg::from(random.i32(1..4)), value]),
                    _ => (path, vec![track, value]),
                }
            })
            .collect();
        // Neighbours change places, some by far.
        let mut order: Vec<usize> = (0..events.len()).collect();
        for _ in 0..200 {
            let from = random.usize(..order.len());
            let to = (from + random.usize(1..40)).min(order.len() - 1);
            order.swap(from, to);
        }
        let stage = Stage::new().await;
        for &seq in &order {
            let (path, args) = &events[seq];
            numbered(&stage.live, u32::try_from(seq).expect("small"), paths[*path], args);
        }
        stage.until_count("events.processed", 300).await;
        let in_order = AstServer::new();
        in_order.load_project(&stage.file).expect("the set loads");
        for (path, args) in &events {
            let _ = in_order.process_live_event(paths[*path], args, None, 0.0);
        }
        assert_eq!(stage.server.root_hash().expect("a set"), in_order.root_hash().expect("a set"));
        assert!(stage.count("udp.packet.superseded") > 0);
        assert_eq!(stage.count("udp.sequence.restart"), 0);
    }
}
