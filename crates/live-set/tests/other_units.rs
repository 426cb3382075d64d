//! Values of which a file stores something else than events say: they stay as an event set them.

mod common;

use common::small::{apply, kinds, manual, read, save, usual};
use live_set::{Edit, Mirror};

/// Gains as Live writes them: 0 dB, and the top of the fader, which is the `Max` of each `Volume`.
const GAINS: [&str; 2] = ["1", "1.99526238"];

#[test]
fn a_save_leaves_the_volume_that_an_event_set_for_a_file_has_another_unit() {
    let with_gain = |gain: &str| {
        let volume = |gain: &str| manual("Volume", gain);
        usual().map(|track| track.replace(&volume("1"), &volume(gain)))
    };
    let volumes = |mirror: &Mirror| {
        let tracks = &mirror.set().project().tracks;
        [tracks[0].mixer.volume, tracks[1].mixer.volume]
    };
    // At the top, a fader says 1, which as a gain is 0 dB.
    let mut mirror = Mirror::new(read(&with_gain(GAINS[0])));
    apply(&mut mirror, &[Edit::TrackVolume { track: 0, volume: 1.0 }]);
    let now = mirror.now();
    let changes = save(&mut mirror, read(&with_gain(GAINS[1])), now, false);
    assert_eq!(volumes(&mirror), [1.0, 1.995_262_38], "no event has told of the second");
    assert!(changes.changes.iter().all(|it| it.path.to_string().starts_with("tracks[1]")));
    // As it is, the file counts, and what came since is told of anew.
    let began = mirror.mark();
    apply(&mut mirror, &[Edit::TrackVolume { track: 1, volume: 0.85 }]);
    save(&mut mirror, read(&with_gain(GAINS[1])), began, true);
    assert_eq!(volumes(&mirror), [1.995_262_38, 0.85]);
    let now = mirror.now();
    save(&mut mirror, read(&with_gain(GAINS[0])), now, false);
    assert_eq!(volumes(&mirror), [1.0, 0.85]);
}

#[test]
fn a_colour_that_an_event_set_stays_even_where_it_is_the_number_in_the_file() {
    let mut mirror = Mirror::new(read(&usual()));
    let index = mirror.set().project().tracks[0].color;
    apply(&mut mirror, &[Edit::TrackColor { track: 0, color: index }]);
    let now = mirror.now();
    let [first, last] = usual();
    let color = |index: i32| format!("<Color Value=\"{index}\" />");
    let file = [first.replace(&color(index), &color(20)), last];
    let changes = save(&mut mirror, read(&file), now, false);
    assert_eq!(mirror.set().project().tracks[0].color, index);
    assert_eq!(kinds(&changes), []);
}
