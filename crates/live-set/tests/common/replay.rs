//! Replays change records over a tree, both as JSON: what a viewer does, and an oracle that shares
//! nothing with the crate but the protocol.

use serde_json::Value;

/// The tree after the changes.
pub(crate) fn replay(mut tree: Value, changes: &Value) -> Value {
    for record in changes["changes"].as_array().expect("changes are a list") {
        match record["type"].as_str().expect("a record has a type") {
            "added" => add(&mut tree, record),
            "removed" => remove(&mut tree, record),
            "modified" => modify(&mut tree, record),
            "state_changed" => set_state(&mut tree, record),
            other => panic!("unknown type of record {other}"),
        }
    }
    tree
}

/// The tree without its hashes: replaying does not know them.
pub(crate) fn without_hashes(mut tree: Value) -> Value {
    let node = tree.as_object_mut().expect("a node is an object");
    assert!(node.remove("hash").is_some(), "a node has a hash");
    for child in node["children"].as_array_mut().expect("children are a list") {
        *child = without_hashes(child.take());
    }
    tree
}

/// Compares two trees node by node, so that a failure names the first that differs.
pub(crate) fn assert_same(found: &Value, expected: &Value) {
    let (id, children) = (&found["id"], |tree: &Value| tree["children"].as_array().cloned());
    assert_eq!(found["attributes"], expected["attributes"], "{id}");
    let (found, expected) = (children(found), children(expected));
    let (found, expected) = (found.expect("a list"), expected.expect("a list"));
    let ids = |nodes: &[Value]| nodes.iter().map(|node| node["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&found), ids(&expected), "children of {id}");
    found.iter().zip(&expected).for_each(|(found, expected)| assert_same(found, expected));
}

/// The ids of all nodes.
pub(crate) fn ids(tree: &Value) -> Vec<String> {
    let children = tree["children"].as_array().expect("children are a list");
    let own = tree["id"].as_str().expect("an id is text").to_owned();
    std::iter::once(own).chain(children.iter().flat_map(ids)).collect()
}

fn find<'a>(tree: &'a mut Value, id: &str) -> Option<&'a mut Value> {
    if tree["id"] == id {
        return Some(tree);
    }
    tree["children"].as_array_mut()?.iter_mut().find_map(|child| find(child, id))
}

fn node<'a>(tree: &'a mut Value, record: &Value) -> &'a mut Value {
    let id = record["node_id"].as_str().expect("an id is text");
    let node = find(tree, id).unwrap_or_else(|| panic!("no node {id} for {record}"));
    assert_eq!(node["node_type"], record["node_type"]);
    node
}

fn children<'a>(tree: &'a mut Value, record: &Value) -> &'a mut Vec<Value> {
    let id = record["parent_id"].as_str().expect("an id is text");
    let parent = find(tree, id).unwrap_or_else(|| panic!("no parent {id} for {record}"));
    parent["children"].as_array_mut().expect("children are a list")
}

fn remove(tree: &mut Value, record: &Value) {
    let siblings = children(tree, record);
    let at = siblings.iter().position(|child| child["id"] == record["node_id"]);
    let removed = siblings.remove(at.expect("a child of that parent"));
    assert_eq!(record["value"], removed["attributes"], "flat, as deployed viewers expect them");
    assert_eq!(without_hashes(removed), without_hashes(record["node"].clone()));
}

fn add(tree: &mut Value, record: &Value) {
    let node = record["node"].clone();
    assert_eq!(record["new_value"], node["attributes"], "flat, as deployed viewers merge them");
    assert_eq!(node["id"], record["node_id"]);
    let siblings = children(tree, record);
    // A child comes before the first that belongs after it: by type, then by row or position.
    let order = |node: &Value| {
        let types =
            ["track", "scene", "file_ref", "locator", "device", "clip_slot", "clip", "mixer"];
        types.iter().position(|name| node["node_type"] == *name).expect("a type of child")
    };
    let path = record["path"].as_str().expect("a path is text");
    let position = last_index(path);
    let mut seen = 0;
    let at = siblings.iter().position(|sibling| {
        if order(sibling) != order(&node) {
            return order(sibling) > order(&node);
        }
        seen += 1;
        match node["attributes"]["scene_index"].as_u64() {
            Some(row) => sibling["attributes"]["scene_index"].as_u64() > Some(row),
            None => seen > position,
        }
    });
    siblings.insert(at.unwrap_or(siblings.len()), node);
}

fn modify(tree: &mut Value, record: &Value) {
    let attributes = node(tree, record)["attributes"].as_object_mut().expect("an object");
    for (name, value) in record["new_value"].as_object().expect("an object") {
        let old = attributes.insert(name.clone(), value.clone());
        assert_eq!(old.as_ref(), Some(&record["old_value"][name]), "{record}");
    }
}

fn set_state(tree: &mut Value, record: &Value) {
    let attribute = record["attribute"].as_str().expect("an attribute is text");
    let path = record["path"].as_str().expect("a path is text");
    let attributes = &mut node(tree, record)["attributes"];
    let field = if path.contains(".parameters[") {
        &mut attributes["parameters"][last_index(path)][attribute]
    } else {
        &mut attributes[attribute]
    };
    assert_eq!(*field, record["old_value"], "{record}");
    *field = record["new_value"].clone();
}

/// The last number in square brackets.
fn last_index(path: &str) -> usize {
    let after = path.rsplit('[').next().expect("split gives something");
    after.split(']').next().expect("split gives something").parse().unwrap_or(0)
}
