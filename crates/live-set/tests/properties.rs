//! Properties of any sequence of edits and any two states of a set.

mod common;

use common::replay::{ids, replay, without_hashes};
use common::{json, set, small};
use live_set::{Edit, Set, TrackKind, diff};
use proptest::prelude::*;

/// Positions in the small set, and some beyond it.
fn any_edit() -> impl Strategy<Value = Edit> {
    let track = 0..8_usize;
    let scene = 0..6_usize;
    let number = prop_oneof![
        8 => (-8..8_i32).prop_map(|n| f64::from(n) / 4.0),
        1 => Just(-0.0),
        1 => Just(f64::NAN),
        1 => Just(f64::INFINITY)
    ];
    let name = prop_oneof![Just(String::new()), "[a-c]", Just("\u{1f3b9} & <\"> \u{0}".to_owned())];
    let at = (track.clone(), scene.clone());
    let of_track = (track, any::<bool>(), number.clone(), name.clone(), 0..3_i32, 0..7_usize);
    let of_slot = (at, any::<(bool, bool)>(), name.clone(), 0..3_i32, 0..10_usize);
    prop_oneof![
        of_track.prop_map(|(track, on, number, name, color, which)| match which {
            0 => Edit::TrackName { track, name },
            1 => Edit::TrackMute { track, is_muted: on },
            2 => Edit::TrackArm { track, is_armed: on },
            3 => Edit::TrackSolo { track, is_soloed: on },
            4 => Edit::TrackVolume { track, volume: number },
            5 => Edit::TrackPan { track, pan: number },
            _ => Edit::TrackColor { track, color },
        }),
        (0..8_usize, 0..3_usize, 0..4_usize, number.clone()).prop_map(
            |(track, device, parameter, value)| {
                Edit::DeviceParameter { track, device, parameter, value }
            }
        ),
        any_structure(name.clone()),
        (scene, name, 0..3_i32, 0..3_usize).prop_map(|(scene, name, color, which)| match which {
            0 => Edit::SceneName { scene, name },
            1 => Edit::SceneColor { scene, color },
            _ => Edit::SceneTriggered { scene },
        }),
        of_slot.prop_map(|((track, scene), (on, has_clip), name, number, which)| match which {
            0 | 1 => Edit::ClipSlotState {
                track,
                scene,
                has_clip,
                has_stop_button: on,
                playing_status: number
            },
            2 => Edit::ClipSlotStopButton { track, scene, has_stop_button: on },
            3 => Edit::ClipSlotPlayingStatus { track, scene, playing_status: number },
            4 => Edit::ClipSlotColor { track, scene, color: number },
            5 => Edit::ClipName { track, scene, name },
            6 => Edit::ClipColor { track, scene, color: number },
            7 => Edit::ClipMuted { track, scene, is_muted: on },
            8 if on => Edit::ClipLooping { track, scene, is_looped: has_clip },
            8 => Edit::ClipRemoved { track, scene },
            _ => Edit::ClipAdded { track, scene, name },
        }),
        (any::<bool>(), number, 0..3_usize).prop_map(|(is_playing, number, which)| match which {
            0 => Edit::TransportPlay { is_playing },
            1 => Edit::TransportTempo { tempo: number },
            _ => Edit::TransportPosition { position: number },
        }),
    ]
}

/// What comes and goes.
fn any_structure(name: impl Strategy<Value = String>) -> impl Strategy<Value = Edit> {
    let kind = prop_oneof![
        Just(TrackKind::Midi),
        Just(TrackKind::Audio),
        Just(TrackKind::Group),
        Just(TrackKind::Return),
        Just(TrackKind::Master)
    ];
    let all = (0..8_usize, 0..6_usize, name, kind, 0..6_usize);
    all.prop_map(|(track, other, name, kind, which)| match which {
        0 => Edit::TrackAdded { track, name, kind },
        1 => Edit::TrackDeleted { track },
        2 => Edit::DeviceAdded { track, device: other, name },
        3 => Edit::DeviceDeleted { track, device: other },
        4 => Edit::SceneAdded { scene: other, name },
        _ => Edit::SceneRemoved { scene: other },
    })
}

fn edited(mut set: Set, edits: &[Edit]) -> Set {
    for edit in edits {
        let _ = set.apply(edit);
    }
    set
}

/// Everything that has to hold between two states and the records that lead from one to the other.
fn assert_replays(before: &Set, after: &Set, changes: &live_set::Changes) {
    let changes = serde_json::to_value(changes).expect("changes serialise");
    let replayed = replay(json(before), &changes);
    let (old, new) = (without_hashes(json(before)), without_hashes(json(after)));
    // As text, in which 0.0 and -0.0 differ: to viewers they do.
    let (old_text, new_text) = (old.to_string(), new.to_string());
    assert_eq!(old_text == new_text, before.root_hash() == after.root_hash());
    assert_eq!(without_hashes(replayed), new, "{changes:#}");
    for record in changes["changes"].as_array().expect("a list") {
        if record["type"] == "added" {
            let id = record["node_id"].as_str().expect("an id is text");
            let node = after.node(id).expect("what was added is there");
            assert_eq!(record["node"]["hash"], node.hash().to_string());
        }
    }
}

fn assert_hashes_are_right(set: &Set) {
    let mut fresh = set.clone();
    fresh.rehash();
    assert!(fresh == *set, "hashes are those of a tree that was hashed from scratch");
    let mut ids = ids(&json(set));
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "ids are unique");
}

/// The rows of a group are empty, so they look the same whichever scene is gone; their ids do not.
#[test]
fn rows_that_look_the_same_are_told_apart_by_their_ids() {
    let gone = |scene| Edit::SceneRemoved { scene };
    let more = Edit::SceneAdded { scene: 2, name: "".into() };
    let pairs = [
        (vec![gone(2)], vec![gone(0)]),
        (vec![gone(3), more], vec![Edit::SceneTriggered { scene: 0 }]),
    ];
    for (first, second) in pairs {
        let (old, mut new) = (edited(set(&small()), &first), edited(set(&small()), &second));
        new.continue_from(&old);
        assert_replays(&old, &new, &diff(&old, &new));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_edit_hashes_are_right_and_records_replay(
        edits in prop::collection::vec(any_edit(), 1..24)
    ) {
        let mut set = set(&small());
        for edit in &edits {
            let before = set.clone();
            match set.apply(edit) {
                Ok(changes) => {
                    assert_replays(&before, &set, &changes);
                    prop_assert_eq!(changes.is_empty() && before != set, false);
                }
                Err(_) => prop_assert!(set == before),
            }
            assert_hashes_are_right(&set);
        }
    }

    #[test]
    fn hashes_are_right_after_edits_between_which_nobody_asked_for_them(
        edits in prop::collection::vec(any_edit(), 1..24)
    ) {
        assert_hashes_are_right(&edited(set(&small()), &edits));
    }

    #[test]
    fn the_same_edits_give_the_same_ids(edits in prop::collection::vec(any_edit(), 1..24)) {
        prop_assert!(edited(set(&small()), &edits) == edited(set(&small()), &edits));
    }

    #[test]
    fn a_diff_of_any_two_states_replays(
        first in prop::collection::vec(any_edit(), 0..24),
        second in prop::collection::vec(any_edit(), 0..24),
        other_seed in any::<bool>(),
    ) {
        let mut spec = small();
        let old = edited(set(&spec), &first);
        spec.seed = u64::from(other_seed);
        let new = edited(set(&spec), &second);
        // What edits made in one of them has an id that means something else in the other.
        let mut continued = new;
        continued.continue_from(&old);
        assert_replays(&old, &continued, &diff(&old, &continued));
        assert_hashes_are_right(&continued);
        prop_assert!(diff(&old, &old).is_empty());
    }
}
