"""A viewer of the server: follows the tree by replaying what it is told."""

import copy
import json

from websockets.sync.client import connect

PATIENCE = 20.0
ORDER = ["track", "scene", "file_ref", "locator", "device", "clip_slot", "clip", "mixer"]


class Viewer:
    """Holds the tree that the changes so far have made of the first one."""

    def __init__(self, url):
        self._socket = connect(url, max_size=None, compression=None)
        first = self.receive()
        assert first["type"] == "FULL_AST", first["type"]
        self.tree = first["payload"]["ast"]

    def receive(self):
        """The next message; fails when none comes."""
        return json.loads(self._socket.recv(timeout=PATIENCE))

    def ask(self, text):
        """Sends something and gives the next message."""
        self._socket.send(text)
        return self.receive()

    def records(self, sequence):
        """Replays the next message, which must be the changes of one event, and gives them."""
        message = self.receive()
        assert message["type"] == "DIFF_UPDATE", message
        diff = message["payload"]["diff"]
        records = diff["changes"]
        assert records and all(r["seq_num"] == sequence for r in records), (sequence, records)
        for record in records:
            self._replay(record)
        self._check_ids(diff)
        return records

    def close(self):
        self._socket.close()

    def _check_ids(self, diff):
        kinds = {"added": ["added"], "removed": ["removed"], "modified": ["modified", "state_changed"]}
        for name, types in kinds.items():
            ids = {r["node_id"] for r in diff["changes"] if r["type"] in types}
            assert set(diff[name]) == ids, (name, diff[name], ids)

    def _replay(self, record):
        match record["type"]:
            case "added":
                self._add(record)
            case "removed":
                siblings = find(self.tree, record["parent_id"])["children"]
                gone = next(node for node in siblings if node["id"] == record["node_id"])
                assert without_hashes(gone) == without_hashes(record["node"]), record
                assert gone["attributes"] == record["value"], record
                siblings.remove(gone)
            case "modified":
                attributes = self._node(record)["attributes"]
                for name, value in record["new_value"].items():
                    assert attributes[name] == record["old_value"][name], record
                    attributes[name] = value
            case "state_changed":
                self._set(record)
            case other:
                raise AssertionError(f"an unknown type of record: {other}")

    def _node(self, record):
        node = find(self.tree, record["node_id"])
        assert node["node_type"] == record["node_type"], record
        return node

    def _set(self, record):
        place, name = self._node(record)["attributes"], record["attribute"]
        if ".parameters[" in record["path"]:
            place = place["parameters"][last_index(record["path"])]
        assert place[name] == record["old_value"], record
        # A list is changed by what comes later; the record is not.
        place[name] = copy.deepcopy(record["new_value"])

    def _add(self, record):
        node = record["node"]
        assert node["id"] == record["node_id"], record
        assert node["attributes"] == record["new_value"], record
        siblings = find(self.tree, record["parent_id"])["children"]
        alike = [i for i, sibling in enumerate(siblings) if sibling["node_type"] == node["node_type"]]
        if node["node_type"] == "clip_slot":
            row = node["attributes"]["scene_index"]
            later = [i for i in alike if siblings[i]["attributes"]["scene_index"] > row]
        else:
            later = alike[last_index(record["path"]) :] if node["node_type"] != "clip" else []
        others = [i for i, sibling in enumerate(siblings) if rank(sibling) > rank(node)]
        siblings.insert(min(later + others, default=len(siblings)), node)


def rank(node):
    """Where nodes of this type come among their siblings."""
    return ORDER.index(node["node_type"])


def last_index(path):
    """The last number in square brackets of a path."""
    return int(path.rpartition("[")[2].partition("]")[0])


def find(tree, node_id):
    """The node with an id."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node["id"] == node_id:
            return node
        waiting.extend(node["children"])
    raise AssertionError(f"there is no node {node_id}")


def without_hashes(node):
    """The node and all below it without hashes, which a viewer cannot compute."""
    kept = {key: value for key, value in node.items() if key != "hash"}
    return kept | {"children": [without_hashes(child) for child in node["children"]]}
