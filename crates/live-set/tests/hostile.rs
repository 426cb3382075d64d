//! Input that is broken or means harm: a clear error, no panic, and soon.

mod common;

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use common::{small, xml};
use flate2::Compression;
use flate2::write::GzEncoder;
use live_set::generate::Spec;
use live_set::{Limits, ReadError, ReadErrorKind, Set};
use proptest::prelude::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("a vector takes everything");
    gzip.finish().expect("a vector takes everything")
}

fn error(document: &[u8]) -> ReadError {
    Set::read(document).expect_err("refused")
}

fn live(inside: &str) -> String {
    format!("<Ableton MinorVersion=\"12.0_12117\"><LiveSet>{inside}</LiveSet></Ableton>")
}

/// A document of one repeated part, made as it is read.
fn repeated(start: &str, part: &str, times: usize) -> impl Read {
    let part = part.to_owned();
    let mut left = times;
    let mut buffer = io::Cursor::new(start.as_bytes().to_vec());
    ReadFn(move |into: &mut [u8]| {
        loop {
            let read = buffer.read(into)?;
            if read > 0 || left == 0 {
                return Ok(read);
            }
            let some = left.min(4_096);
            left -= some;
            buffer = io::Cursor::new(part.repeat(some).into_bytes());
        }
    })
}

struct ReadFn<F>(F);

impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for ReadFn<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        (self.0)(into)
    }
}

/// Bits of deflate, the first of each byte in its lowest.
fn packed(bits: &[u8]) -> Vec<u8> {
    let byte = |bits: &[u8]| (0..).zip(bits).fold(0, |byte, (i, bit)| byte | bit << i);
    bits.chunks(8).map(byte).collect()
}

/// A block of deflate with a code of its own for one letter, which it does not use.
fn block_with_its_own_code() -> Vec<u8> {
    let mut bits = Vec::new();
    let mut put = |value: u8, width: u8| bits.extend((0..width).map(|i| value >> i & 1));
    // Not the last block, of kind 2; 257 lengths for letters, 1 for distances, 18 for lengths.
    [(0, 1), (2, 2), (0, 5), (0, 5), (14, 4)].iter().for_each(|&(value, width)| put(value, width));
    // In the order that the format has, lengths 18 (many zeros) and 1 get one bit each.
    (0..18).for_each(|i| put(u8::from(i == 2 || i == 17), 3));
    // 255 zeros, then letter 255, the end of the block, and the distance.
    let lengths = [(1, 1), (127, 7), (1, 1), (106, 7), (0, 3)];
    lengths.iter().for_each(|&(value, width)| put(value, width));
    // The end of the block.
    put(1, 1);
    bits.repeat(8)
}

/// How long each of two documents takes to read: the least of a few runs in turns, which leaves out
/// what other programs on the machine add.
fn times_to_read(documents: [&[u8]; 2]) -> [Duration; 2] {
    let read = |document| {
        let start = Instant::now();
        let _ = Set::read(document);
        start.elapsed()
    };
    let runs: Vec<_> = (0..7).map(|_| documents.map(read)).collect();
    [0, 1].map(|which| runs.iter().map(|run| run[which]).min().expect("seven runs"))
}

#[test]
fn gzip_that_says_nothing_takes_about_as_long_as_gzip_that_does() {
    const BYTES: usize = 1 << 20;
    let random = (0..2 * BYTES).scan(1_u32, |state, _| {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(*state >> 28).ok()
    });
    let text: String = random.map(|letter| char::from(b'a' + letter)).collect();
    let usual = gzip(live(&format!("<A>{text}</A>")).as_bytes());
    let share = usual.len() as f64 / BYTES as f64;

    let empty = gzip(b"");
    let in_gzip = |block: &[u8]| [&empty[..10], &block.repeat(BYTES / block.len())].concat();
    // A block that is not the last, of kind 1, and its end: ten bits, so eight in ten bytes.
    let fixed = packed(&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0].repeat(8));
    for (what, document) in [
        ("empty members", empty.repeat(BYTES / empty.len())),
        ("members of a few blanks", gzip(&[b' '; 40]).repeat(BYTES / 24)),
        ("empty blocks", in_gzip(&fixed)),
        ("empty blocks that are stored", in_gzip(&[0, 0, 0, 0xff, 0xff])),
        ("codes that are not used", in_gzip(&packed(&block_with_its_own_code()))),
    ] {
        let [taken, of_text] = times_to_read([&document, &usual]);
        let of_text = of_text.div_f64(share);
        assert!(taken < 12 * of_text, "{what} take {taken:?}, the same bytes of text {of_text:?}");
    }
}

#[test]
fn a_document_that_is_no_set_says_which_way() {
    let cases: [(&[u8], &str); 14] = [
        (b"", "empty"),
        (&gzip(b""), "empty"),
        (b" \n\t ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"MThd\0\0\0\x06", "neither gzip nor XML"),
        (&gzip(b"plain text"), "neither gzip nor XML"),
        (b"\xff\xfe<\0A\0", "neither gzip nor XML"),
        (b"<svg/>", "\"svg\", not \"Ableton\""),
        (b"<Ableton MinorVersion=\"11.0_11300\"><DevicePreset/></Ableton>", "no LiveSet"),
        (b"<Ableton MinorVersion=\"8.2_377\"><LiveSet/></Ableton>", "Live 8 are not supported"),
        (b"<Ableton><LiveSet>", "cut off"),
        (b"<Ableton><LiveSet></Ableton>", "malformed"),
        (b"<Ableton><LiveSet/></Ableton><Ableton/>", "second root"),
        (b"<Ableton><LiveSet/></Ableton> more", "text behind"),
    ];
    for (document, says) in cases {
        let error = error(document).to_string();
        assert!(
            error.contains(says),
            "{says:?} of {:?}: {error}",
            String::from_utf8_lossy(document)
        );
        assert!(error.chars().next().is_some_and(char::is_lowercase), "{error}");
    }
    assert!(error(b"").is_incomplete() && error(b"<Ableton>").is_incomplete());
    assert!(error(b"<svg/>").is_foreign() && error(b"text").is_foreign());
}

#[test]
fn the_least_that_is_a_set() {
    for document in
        [live(""), format!("\u{feff}<?xml version=\"1.0\"?><!-- a > b -->\n{}\n", live(""))]
    {
        let set = Set::read(document.as_bytes()).expect("a set");
        assert_eq!((set.num_tracks(), set.num_scenes()), (0, 0));
        assert_eq!(set.project().tempo, 120.0);
        assert!(Set::read(gzip(document.as_bytes()).as_slice()).expect("a set") == set);
    }
}

#[test]
fn values_that_cannot_be_read_count_as_absent() {
    let document = live(
        "<Tracks><MidiTrack Id=\"x\"><Color Value=\"99999999999\" /><DeviceChain><Mixer>\
         <Volume><Manual Value=\"inf\" /></Volume><Pan><Manual Value=\"\" /></Pan></Mixer>\
         <DeviceChain><Devices><Eq8><Gain><Manual Value=\"NaN\" /></Gain></Eq8></Devices>\
         </DeviceChain></DeviceChain></MidiTrack></Tracks>",
    );
    let set = Set::read(document.as_bytes()).expect("a set");
    let track = set.track(0).expect("a track");
    assert_eq!(track.id.as_str(), "track:@0");
    assert_eq!((track.color, track.mixer.volume, track.mixer.pan), (-1, 1.0, 0.0));
    // Still a parameter: events address parameters by position.
    assert_eq!(track.devices[0].parameters[1].value, 0.0);
    assert_eq!(track.devices[0].name, "Eq8");
}

#[test]
fn a_plug_in_is_known_by_its_own_name_unless_the_user_gave_one() {
    let device = |user: &str| {
        let document = live(&format!(
            "<Tracks><AudioTrack Id=\"1\"><DeviceChain><DeviceChain><Devices>\
             <PluginDevice Id=\"0\"><UserName Value=\"{user}\" /><PluginDesc><Vst3PluginInfo>\
             <Name Value=\"Verb &amp; Co\" /></Vst3PluginInfo></PluginDesc></PluginDevice>\
             </Devices></DeviceChain></DeviceChain></AudioTrack></Tracks>"
        ));
        let set = Set::read(document.as_bytes()).expect("a set");
        set.track(0).expect("a track").devices[0].clone()
    };
    assert_eq!(
        (device("").name.as_str(), device("").device_type.as_str()),
        ("Verb & Co", "PluginDevice")
    );
    assert_eq!(device("Mine").name, "Mine");
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let tiny = Spec { tracks: 1, groups: 0, returns: 0, scenes: 1, devices: 1, ..small() };
    let mut als = Vec::new();
    tiny.write_als(&mut als).expect("a vector takes everything");
    for length in 0..als.len() {
        let error = error(&als[..length]);
        assert!(error.is_incomplete() || length == 1, "{length} of {} bytes: {error}", als.len());
    }
    let xml = xml(&tiny);
    for length in (0..xml.trim_end().len()).step_by(7) {
        let error = error(&xml.as_bytes()[..length]);
        assert!(error.is_incomplete(), "{length} bytes of XML: {error}");
    }
}

#[test]
fn a_damaged_check_sum_is_refused() {
    let mut als = gzip(live("").as_bytes());
    let check_sum = als.len() - 8;
    als[check_sum] ^= 1;
    assert!(matches!(error(&als).kind(), ReadErrorKind::Gzip(_)));
    let mut als = gzip(live("").as_bytes());
    als.extend_from_slice(b"not a member");
    assert!(matches!(error(&als).kind(), ReadErrorKind::Gzip(_)));
}

#[test]
fn a_message_does_not_repeat_a_document() {
    let document = format!("<Ableton></{}>", "x".repeat(500_000));
    assert!(error(document.as_bytes()).to_string().len() < 400);
}

#[test]
fn a_reader_that_fails_is_told_apart_from_a_bad_document() {
    let fails = ReadFn(|_: &mut [u8]| Err(io::Error::other("disk on fire")));
    let error = Set::read(fails).expect_err("refused");
    assert!(matches!(error.kind(), ReadErrorKind::Io(_)));
    assert!(error.to_string().contains("disk on fire"));
}

#[test]
fn a_document_type_is_refused() {
    let document = "<!DOCTYPE Ableton [<!ENTITY a \"aaaaaaaaaa\">]><Ableton><LiveSet/></Ableton>";
    assert!(matches!(error(document.as_bytes()).kind(), ReadErrorKind::Doctype));
    let entity =
        live("<Tracks><MidiTrack><Name><UserName Value=\"&a;\"/></Name></MidiTrack></Tracks>");
    assert!(matches!(error(entity.as_bytes()).kind(), ReadErrorKind::Xml(_)));
}

fn assert_limit(document: impl Read, what: &str) {
    let error = Set::read(document).expect_err("refused");
    assert!(error.is_limit() && error.to_string().contains(what), "{what:?}: {error}");
}

#[test]
fn what_is_over_a_limit_is_refused() {
    let start = "<Ableton MinorVersion=\"12.0\"><LiveSet>";
    assert_limit(repeated(start, "<a>", 100_000), "nested elements");
    assert_limit(repeated("<Ableton", " a=\"\"", 1_000_000), "one tag");
    assert_limit(live(&format!("<a{}/>", " b=\"\"".repeat(1_000))).as_bytes(), "attributes");
    let long = format!("<Ableton MinorVersion=\"{}\"/>", "9".repeat(600_000));
    assert_limit(long.as_bytes(), "one attribute");
    assert_limit(repeated("<Ableton a=\"", "x", 1 << 21), "one tag");
    assert_limit(repeated("<!-- ", "x", 1 << 21), "one tag");
    let tracks = format!("{start}<Tracks>");
    assert_limit(repeated(&tracks, "<MidiTrack/>", 1_001), "tracks");
    assert_limit(repeated(&format!("{start}<Scenes>"), "<Scene/>", 10_001), "scenes");
    let chain = format!("{tracks}<MidiTrack><DeviceChain>");
    let slots = format!("{chain}<MainSequencer><ClipSlotList>");
    assert_limit(repeated(&slots, "<ClipSlot/>", 10_001), "slots");
    let sends = format!("{chain}<Mixer><Sends>");
    assert_limit(repeated(&sends, "<TrackSendHolder/>", 257), "sends");
    let devices = format!("{chain}<DeviceChain><Devices>");
    assert_limit(repeated(&devices, "<Eq8/>", 1_001), "devices");
    let device = format!("{devices}<Eq8>");
    assert_limit(repeated(&device, "<Gain><Manual Value=\"1\"/></Gain>", 4_097), "parameters");
}

#[test]
fn limits_can_be_set() {
    let xml = xml(&small());
    let read = |limits: Limits| Set::read_within(xml.as_bytes(), &limits).err();
    let limits = Limits::default();
    assert!(read(limits).is_none());
    let over = [
        Limits { file_bytes: 1_000, ..limits },
        Limits { document_bytes: 1_000, ..limits },
        Limits { markup: 1_000, ..limits },
        Limits { tree_bytes: 1_000, ..limits },
        Limits { depth: 5, ..limits },
        Limits { tracks: 5, ..limits },
    ];
    for limits in over {
        let error = read(limits).expect("refused");
        assert!(error.is_limit(), "{limits:?}: {error}");
    }
    assert!(read(Limits { tracks: 6, ..limits }).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..512), is_gzip in any::<bool>()) {
        let document = if is_gzip { [&[0x1f, 0x8b, 8, 0][..], &bytes].concat() } else { bytes };
        prop_assert!(Set::read(document.as_slice()).is_err());
    }

    #[test]
    fn damaged_documents_never_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        is_gzip in any::<bool>(),
    ) {
        let spec = Spec { tracks: 2, groups: 0, returns: 0, scenes: 1, devices: 1, ..small() };
        let xml = xml(&spec).into_bytes();
        let mut document = if is_gzip { gzip(&xml) } else { xml };
        for (at, byte) in damage {
            let at = at.index(document.len());
            document[at] = byte;
        }
        if let Ok(mut set) = Set::read(document.as_slice()) {
            let hash = set.root_hash();
            prop_assert_eq!(set.rehash(), hash);
        }
    }
}
