//! The whole tree of a document, against another parser's reading of it.

mod common;

use common::document::{tree, without_ids};
use common::{full, inflate, json, real_set, set, small, xml};
use live_set::generate::{Spec, Version};
use live_set::{NodeType, Set};
use serde_json::Value;

const VERSIONS: [Version; 4] = [Version::Live9, Version::Live10, Version::Live11, Version::Live12];

/// Compares node by node, so that a failure names the first that differs.
fn assert_same(found: &Value, expected: &Value, path: &str) {
    assert_eq!(found["node_type"], expected["node_type"], "{path}");
    assert_eq!(found["attributes"], expected["attributes"], "{path}");
    let (found, expected) =
        (found["children"].as_array().expect("a list"), expected["children"].as_array());
    let expected = expected.expect("a list");
    for (position, (found, expected)) in found.iter().zip(expected).enumerate() {
        let node_type = found["node_type"].as_str().expect("text");
        assert_same(found, expected, &format!("{path}/{node_type}[{position}]"));
    }
    assert_eq!(found.len(), expected.len(), "children of {path}");
}

#[test]
fn every_node_of_generated_sets_of_every_version_is_as_another_parser_has_it() {
    for version in VERSIONS {
        for spec in [full(version), Spec { version, ..small() }] {
            let set = set(&spec);
            assert_same(&without_ids(&json(&set)), &tree(&xml(&spec)), &format!("{version:?}"));
        }
    }
}

#[test]
fn every_node_of_real_sets_is_as_another_parser_has_it() {
    for name in ["bar-11.3.als", "default-12.1.als", "foo-11.3-backup.als", "foo-11.3.als"] {
        let Some(als) = real_set(name) else { return };
        let set = Set::read(als.as_slice()).expect(name);
        assert_same(&without_ids(&json(&set)), &tree(&inflate(&als)), name);
    }
}

#[test]
fn a_set_with_everything_has_as_much_of_it_as_was_asked_for() {
    for version in VERSIONS {
        let spec = full(version);
        let set = set(&spec);
        let chained = spec.tracks + spec.groups + spec.returns;
        // A rack is a device, with one in each of two chains; the first also holds a rack like
        // that, and a return chain of one device.
        let racks = 3 * spec.racks + 3 + 1;
        assert_eq!(set.num_devices(), chained * (spec.devices + racks + spec.plug_ins + 1));
        let takes = if version < Version::Live11 { 0 } else { spec.takes };
        let clips = spec.clips + spec.arrangement + takes;
        assert_eq!(set.num_clips(), spec.tracks * clips, "{version:?}");
        // A sample for each audio clip, the preset of each first rack, each Max device's file.
        let file_refs = spec.tracks / 2 * clips + 2 * chained;
        assert_eq!(set.project_info().num_file_refs, file_refs);
        assert_eq!(set.nodes_by_type(NodeType::FileRef).count(), file_refs);
        assert_eq!(set.nodes_by_type(NodeType::Locator).count(), spec.locators);
        let names = set.project().scenes.iter().map(|scene| scene.name.as_str());
        assert!(names.clone().any(str::is_empty) && names.clone().all(|name| name.trim() == name));
        assert!(set.project().tracks.iter().any(|track| track.group_id > 0));
    }
}

#[test]
fn an_old_version_and_none_at_all_are_told_apart_from_those_that_are_read() {
    let spec = full(Version::Live9);
    let old = xml(&spec).replacen("MinorVersion=\"9.7_365\"", "MinorVersion=\"8.2_1\"", 1);
    let error = Set::read(old.as_bytes()).expect_err("Live 8 is too old");
    assert!(error.is_foreign() && error.to_string().contains("Live 8"), "{error}");
}
