//! The OSC decoder against another implementation, and against hostile bytes.

use ast_server::osc::{Malformed, Message, Packet, decode};
use ast_server::{Arg, encode_message};
use proptest::prelude::*;
use rosc::{OscBundle, OscMessage, OscPacket, OscTime, OscType, encoder};

fn osc_type() -> impl Strategy<Value = OscType> {
    prop_oneof![
        any::<i32>().prop_map(OscType::Int),
        any::<f32>().prop_filter("comparable", |f| !f.is_nan()).prop_map(OscType::Float),
        "[a-zA-Z0-9 äöü/]{0,20}".prop_map(OscType::String),
        any::<bool>().prop_map(OscType::Bool),
        any::<f64>().prop_map(OscType::Double),
        any::<i64>().prop_map(OscType::Long),
        any::<char>().prop_map(OscType::Char),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(OscType::Blob),
        Just(OscType::Nil),
        Just(OscType::Inf),
        (any::<u32>(), any::<u32>()).prop_map(|time| OscType::Time(OscTime::from(time))),
    ]
}

fn osc_message() -> impl Strategy<Value = OscMessage> {
    ("/[a-z/]{0,30}", prop::collection::vec(osc_type(), 0..12))
        .prop_map(|(addr, args)| OscMessage { addr, args })
}

fn osc_packet() -> impl Strategy<Value = OscPacket> {
    let leaf = osc_message().prop_map(OscPacket::Message);
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop::collection::vec(inner, 0..5).prop_map(|content| {
            OscPacket::Bundle(OscBundle { timetag: OscTime::from((0, 1)), content })
        })
    })
}

/// The messages of a packet, in order, as the other implementation has them.
fn flatten(packet: &OscPacket) -> Vec<&OscMessage> {
    match packet {
        OscPacket::Message(message) => vec![message],
        OscPacket::Bundle(bundle) => bundle.content.iter().flat_map(flatten).collect(),
    }
}

fn same_arg(ours: &Arg<'_>, theirs: &OscType) -> bool {
    match (ours, theirs) {
        (Arg::Int(a), OscType::Int(b)) => a == b,
        (Arg::Float(a), OscType::Float(b)) => a == b,
        (Arg::Text(a), OscType::String(b)) => a == b,
        (Arg::Bool(a), OscType::Bool(b)) => a == b,
        (Arg::Other, theirs) => !matches!(
            theirs,
            OscType::Int(_) | OscType::Float(_) | OscType::String(_) | OscType::Bool(_)
        ),
        _ => false,
    }
}

fn same_message(ours: &Message<'_>, theirs: &OscMessage) -> bool {
    let args = ours.args.iter().zip(&theirs.args);
    ours.address == theirs.addr
        && ours.args.len() == theirs.args.len()
        && args.into_iter().all(|(ours, theirs)| same_arg(ours, theirs))
}

fn messages(packet: Packet<'_>) -> Vec<Message<'_>> {
    match packet {
        Packet::Message(message) => vec![message],
        Packet::Bundle(messages) => messages,
    }
}

proptest! {
    #[test]
    fn what_another_implementation_encodes_decodes_to_the_same(packet in osc_packet()) {
        let bytes = encoder::encode(&packet).expect("it encodes");
        let ours = messages(decode(&bytes).expect("it decodes"));
        let theirs = flatten(&packet);
        prop_assert_eq!(ours.len(), theirs.len());
        for (ours, theirs) in ours.iter().zip(theirs) {
            prop_assert!(same_message(ours, theirs), "{ours:?} is not {theirs:?}");
        }
    }

    #[test]
    fn every_truncation_is_malformed(message in osc_message(), cut in any::<prop::sample::Index>()) {
        let bytes = encoder::encode(&OscPacket::Message(message)).expect("it encodes");
        let cut = cut.index(bytes.len());
        prop_assert!(decode(&bytes[..cut]).is_err(), "{cut} of {} bytes", bytes.len());
    }

    #[test]
    fn what_follows_a_message_is_malformed(message in osc_message(), more in 1..9_usize) {
        let mut bytes = encoder::encode(&OscPacket::Message(message)).expect("it encodes");
        bytes.resize(bytes.len() + more, 0);
        prop_assert!(decode(&bytes).is_err());
    }

    #[test]
    fn random_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn damaged_packets_give_an_answer(
        packet in osc_packet(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = encoder::encode(&packet).expect("it encodes");
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = decode(&bytes);
    }
}

/// A bundle inside a bundle inside a bundle, so many levels deep.
fn nested(levels: usize) -> Vec<u8> {
    let mut bytes = encode_message("/live/track/mute", &[Arg::from(0), Arg::from(1)]);
    for _ in 0..levels {
        let size = u32::try_from(bytes.len()).expect("small");
        let header: [&[u8]; 3] = [b"#bundle\0", &[0; 8], &size.to_be_bytes()];
        bytes = [&header.concat(), &*bytes].concat();
    }
    bytes
}

#[test]
fn deep_bundles_are_refused_and_shallow_ones_unpacked() {
    let bytes = nested(3);
    assert_eq!(messages(decode(&bytes).expect("three levels")).len(), 1);
    for levels in [9, 505, 2_144, 3_000] {
        let bytes = nested(levels);
        assert!(matches!(decode(&bytes), Err(Malformed::Limit { .. })), "{levels} levels");
    }
}

#[test]
fn arrays_and_floods_of_arguments_are_refused() {
    let message = |tags: &str| {
        let mut bytes = b"/a\0\0".to_vec();
        bytes.extend(tags.as_bytes());
        bytes.resize((bytes.len() + 1).next_multiple_of(4), 0);
        bytes
    };
    let arrays = message(&format!(",{}{}", "[".repeat(20), "]".repeat(20)));
    assert_eq!(decode(&arrays), Err(Malformed::UnknownTag('[')));
    let flood = message(&format!(",{}", "T".repeat(30_000)));
    assert!(matches!(decode(&flood), Err(Malformed::Limit { .. })));
}

#[test]
fn each_kind_of_damage_is_named() {
    assert_eq!(decode(b""), Err(Malformed::Empty));
    assert_eq!(decode(b"hello\0\0\0"), Err(Malformed::Foreign));
    assert_eq!(decode(b"#bundle\0"), Err(Malformed::Truncated));
    assert_eq!(decode(b"/a\0\0"), Err(Malformed::Truncated));
    assert_eq!(decode(b"/a\0\0i\0\0\0\0\0\0\0"), Err(Malformed::NoTypeTags));
    assert_eq!(decode(b"/a\0\0,i\0\0"), Err(Malformed::Truncated));
    assert_eq!(decode(b"/a\0\0,?\0\0"), Err(Malformed::UnknownTag('?')));
    assert_eq!(decode(b"/a\0\0,\0\0\0more"), Err(Malformed::Trailing));
    assert_eq!(decode(b"/\xff\0\0,\0\0\0"), Err(Malformed::NotUtf8));
    assert_eq!(decode(b"/a\0\0,b\0\0\xff\xff\xff\xff"), Err(Malformed::Truncated));
}
