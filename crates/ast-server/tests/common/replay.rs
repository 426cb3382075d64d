//! What a viewer does with change records: an oracle that shares nothing with the server but the
//! protocol.

use serde_json::Value;

/// Applies records to a tree, and checks that each fits what the tree says.
pub(crate) fn replay(tree: &mut Value, records: &[Value]) {
    for record in records {
        apply(tree, record);
    }
}

fn apply(tree: &mut Value, record: &Value) {
    let id = &record["node_id"];
    match record["type"].as_str().expect("a type") {
        "state_changed" => {
            let field = field(node(tree, id), record);
            assert_eq!(*field, record["old_value"], "{record}");
            *field = record["new_value"].clone();
        }
        "modified" => {
            let attributes = &mut node(tree, id)["attributes"];
            for (name, value) in record["new_value"].as_object().expect("an object") {
                assert_eq!(attributes[name], record["old_value"][name], "{record}");
                attributes[name] = value.clone();
            }
        }
        "added" => {
            let new = &record["node"];
            assert_eq!(new["id"], *id, "{record}");
            assert_eq!(new["attributes"], record["new_value"], "{record}");
            let siblings = children(node(tree, &record["parent_id"]));
            let place = siblings.iter().position(|sibling| rank(sibling) > rank(new));
            siblings.insert(place.unwrap_or(siblings.len()), new.clone());
        }
        "removed" => {
            let siblings = children(node(tree, &record["parent_id"]));
            let place = siblings.iter().position(|sibling| sibling["id"] == *id);
            let gone = siblings.remove(place.unwrap_or_else(|| panic!("no such node: {record}")));
            assert_eq!(gone["attributes"], record["value"], "{record}");
        }
        other => panic!("{other} is no type of record"),
    }
}

/// What a `state_changed` record is about.
pub(crate) fn field<'a>(node: &'a mut Value, record: &Value) -> &'a mut Value {
    let attribute = record["attribute"].as_str().expect("an attribute");
    let path = record["path"].as_str().expect("a path");
    match path.rsplit_once(".parameters[") {
        Some((_, index)) => {
            let index: usize = index.trim_end_matches(']').parse().expect("an index");
            &mut node["attributes"]["parameters"][index][attribute]
        }
        None => &mut node["attributes"][attribute],
    }
}

/// The node with an id.
pub(crate) fn node<'a>(tree: &'a mut Value, id: &Value) -> &'a mut Value {
    find(tree, id).unwrap_or_else(|| panic!("no node {id}"))
}

fn find<'a>(tree: &'a mut Value, id: &Value) -> Option<&'a mut Value> {
    if tree["id"] == *id {
        return Some(tree);
    }
    children(tree).iter_mut().find_map(|child| find(child, id))
}

fn children(node: &mut Value) -> &mut Vec<Value> {
    node["children"].as_array_mut().expect("children")
}

/// Where a slot belongs among the children of a track; a clip is its slot's only child.
fn rank(node: &Value) -> (u8, u64) {
    match node["node_type"].as_str() {
        Some("device") => (0, 0),
        Some("clip_slot") => (1, node["attributes"]["scene_index"].as_u64().expect("a row")),
        _ => (2, 0),
    }
}

/// The tree without its hashes, which records do not tell.
pub(crate) fn without_hashes(mut tree: Value) -> Value {
    tree.as_object_mut().expect("a node").remove("hash").expect("a hash");
    for child in children(&mut tree) {
        *child = without_hashes(child.take());
    }
    tree
}
