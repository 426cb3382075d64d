//! The OSC decoder: it answers any bytes, and agrees with another implementation whenever both
//! accept them.
#![no_main]

use ast_server::Arg;
use ast_server::osc::{Message, Packet, decode};
use libfuzzer_sys::fuzz_target;
use rosc::{OscMessage, OscPacket, OscType, decoder, encoder};

fn flatten<'a>(packet: &'a OscPacket, into: &mut Vec<&'a OscMessage>) {
    match packet {
        OscPacket::Message(message) => into.push(message),
        OscPacket::Bundle(bundle) => bundle.content.iter().for_each(|inner| flatten(inner, into)),
    }
}

fn same_arg(ours: &Arg<'_>, theirs: &OscType) -> bool {
    match (ours, theirs) {
        (Arg::Int(a), OscType::Int(b)) => a == b,
        (Arg::Float(a), OscType::Float(b)) => a.to_bits() == b.to_bits(),
        (Arg::Text(a), OscType::String(b)) => a == b,
        (Arg::Bool(a), OscType::Bool(b)) => a == b,
        (Arg::Other, theirs) => !matches!(
            theirs,
            OscType::Int(_) | OscType::Float(_) | OscType::String(_) | OscType::Bool(_)
        ),
        _ => false,
    }
}

fn same(ours: &Message<'_>, theirs: &OscMessage) -> bool {
    ours.address == theirs.addr
        && ours.args.len() == theirs.args.len()
        && ours.args.iter().zip(&theirs.args).all(|(ours, theirs)| same_arg(ours, theirs))
}

fuzz_target!(|datagram: &[u8]| {
    // The other decoder recurses on nesting, so it only gets what the limits let through.
    let Ok(packet) = decode(datagram) else { return };
    let ours = match packet {
        Packet::Message(message) => vec![message],
        Packet::Bundle(messages) => messages,
    };
    let Ok((rest, packet)) = decoder::decode_udp(datagram) else { return };
    // Inside a bundle, it silently leaves out what it does not understand, such as an invalid
    // character.
    let whole = encoder::encode(&packet).is_ok_and(|bytes| bytes.len() == datagram.len());
    if !rest.is_empty() || !whole {
        return;
    }
    let mut theirs = Vec::new();
    flatten(&packet, &mut theirs);
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert!(same(ours, theirs), "{ours:?} is not {theirs:?}");
    }
});
