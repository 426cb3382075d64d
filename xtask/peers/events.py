"""Runs every event of the protocol's table against a server, as existing senders and viewers would.

python-osc sends, websockets follows. Every change record is compared with what the table says, the
replayed tree with the one that a later viewer is sent, the server's counts with what was sent.

Usage: events.py SERVER   (the ast-server program)
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from pythonosc.osc_message_builder import OscMessageBuilder

import live_set
from viewer import PATIENCE, Viewer, without_hashes


def modified(path, **fields):
    return ("modified", path, fields)


def state(path, attribute, value):
    return ("state_changed", path, {attribute: value})


def added(path, **fields):
    return ("added", path, fields)


def removed(path):
    return ("removed", path, {})


def unnamed(value):
    return {"name": "", "value": value}


def on_mixer(track, attribute, value):
    """The track's record first, then its mixer's."""
    path = f"tracks[{track}]"
    return [state(path, attribute, value), state(f"{path}.mixer", attribute, value)]


# Path, arguments, the records that must come in this order. A bare type stands for any number of moved nodes.
EVENTS = [
    ("/live/track/renamed", [0, "Kit"], [modified("tracks[0]", name="Kit")]),
    ("/live/track/mute", [0, 1], on_mixer(0, "is_muted", True)),
    ("/live/track/mute", [0, False], on_mixer(0, "is_muted", False)),
    # Senders that know floats only.
    ("/live/track/mute", [2.0, 1.0], on_mixer(2, "is_muted", True)),
    ("/live/track/arm", [1, 1], [state("tracks[1]", "is_armed", True)]),
    ("/live/track/solo", [2, 1], on_mixer(2, "is_soloed", True)),
    ("/live/track/volume", [1, 0.5], on_mixer(1, "volume", 0.5)),
    ("/live/track/volume", [1, 0.25], on_mixer(1, "volume", 0.25)),
    ("/live/track/pan", [1, -0.5], on_mixer(1, "pan", -0.5)),
    ("/live/track/color", [3, 0xFF8000], [state("tracks[3]", "color", 0xFF8000)]),
    ("/live/device/added", [0, 1, "Reverb"], [added("tracks[0].devices[1]", name="Reverb")]),
    # Parameters of a device that an event announced are made, without names; the first is its switch.
    (
        "/live/device/param",
        [0, 1, 2, 0.5],
        [
            state("tracks[0].devices[1]", "parameters", [unnamed(1.0), unnamed(0.0), unnamed(0.0)]),
            state("tracks[0].devices[1].parameters[2]", "value", 0.5),
        ],
    ),
    ("/live/device/deleted", [0, 1], [removed("tracks[0].devices[1]")]),
    (
        "/live/device/param",
        [1, 0, 0, 0.0],
        [
            state("tracks[1].devices[0].parameters[0]", "value", 0.0),
            state("tracks[1].devices[0]", "is_enabled", False),
        ],
    ),
    (
        "/live/device/param",
        [1, 0, 2, 0.75],
        [state("tracks[1].devices[0].parameters[2]", "value", 0.75)],
    ),
    ("/live/scene/renamed", [1, "Strophe"], [modified("scenes[1]", name="Strophe")]),
    ("/live/scene/added", [2, "Break"], ["modified", added("scenes[2]", name="Break")]),
    ("/live/scene/reordered", [2, "Break"], []),
    ("/live/scene/color", [2, 255], [state("scenes[2]", "color", 255)]),
    ("/live/clip_slot/has_stop", [2, 1, 0], [state("tracks[2].clip_slots[1]", "has_stop_button", False)]),
    (
        "/live/clip_slot/playing_status",
        [2, 1, 1],
        [state("tracks[2].clip_slots[1]", "playing_status", 1)],
    ),
    ("/live/clip_slot/color", [2, 1, 77], [state("tracks[2].clip_slots[1]", "color", 77)]),
    ("/live/clip/name", [1, 0, "Riff"], [modified("tracks[1].clip_slots[0].clip", name="Riff")]),
    ("/live/clip/color", [1, 0, 9], [state("tracks[1].clip_slots[0].clip", "color", 9)]),
    ("/live/clip/looping", [1, 0, 0], [state("tracks[1].clip_slots[0].clip", "is_looped", False)]),
    ("/live/scene/removed", [2], [removed("scenes[2]"), "modified"]),
    ("/live/track/added", [1, "Pads", "track"], [added("tracks[1]", name="Pads"), "modified"]),
    ("/live/track/deleted", [1], [removed("tracks[1]"), "modified"]),
    ("/live/transport/play", [True], [state("project", "is_playing", True)]),
    ("/live/transport/tempo", [98.5], [state("project", "tempo", 98.5)]),
    ("/live/transport/position", [16.0], [state("project", "position", 16.0)]),
]

# What changes attributes that the table leaves to the server to name; the replayed tree shows whether they are right.
FREE = [
    ("/live/scene/triggered", [0]),
    ("/live/clip_slot/created", [3, 4, 1, 1, 0]),
    ("/live/clip/muted", [1, 1, 1]),
    ("/live/clip/added", [2, 3, "Fill"]),
    ("/live/clip/removed", [1, 1]),
]

CURSOR = [
    ("/live/cursor/track", [1]),
    ("/live/cursor/scene", [2]),
    ("/live/cursor/clip_slot", [1, 2]),
]

REJECTED = [
    ("/live/track/renamed", [0]),
    ("/live/track/renamed", [99, "x"]),
    ("/live/track/renamed", [-1, "x"]),
    ("/live/track/mute", ["0", 1]),
    ("/live/track/volume", [0, float("nan")]),
    ("/live/track/pan", [0, float("inf")]),
    ("/live/track/added", [99, "x", "track"]),
    ("/live/device/deleted", [0, 99]),
    ("/live/device/param", [0, 0, 4_096, 0.5]),
    ("/live/scene/removed", [99]),
    ("/live/scene/added", [99, "x"]),
    ("/live/clip/name", [0, 4, "no clip here"]),
    ("/live/clip_slot/has_stop", [0, 99, 1]),
    ("/live/transport/tempo", ["fast"]),
]

UNHANDLED = [("/live/unheard/of", [1]), ("/live/track", [])]


class Sender:
    """Counts and wraps events as the sender inside Live does."""

    def __init__(self, port):
        self._address = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.next = 0
        self.datagrams = 0

    def send(self, path, arguments):
        """Sends an event in the envelope and gives its number."""
        number, self.next = self.next, self.next + 1
        self.send_as(number, path, arguments)
        return number

    def send_as(self, number, path, arguments):
        builder = OscMessageBuilder(address="/live/seq")
        for argument in [number, float(number), path, *arguments]:
            builder.add_arg(argument)
        self.raw(builder.build().dgram)

    def plain(self, path, arguments):
        """Sends a message without the envelope."""
        builder = OscMessageBuilder(address=path)
        for argument in arguments:
            builder.add_arg(argument)
        self.raw(builder.build().dgram)

    def raw(self, datagram):
        self._socket.sendto(datagram, self._address)
        self.datagrams += 1


def check_records(path, records, expected):
    """Compares the records of an event with those that the table says; floats go as 32 bits."""
    rest = list(records)
    for wanted in expected:
        if isinstance(wanted, str):
            moved = [record for record in rest if record["type"] == wanted]
            assert moved and rest[: len(moved)] == moved, (path, wanted, rest)
            rest = rest[len(moved) :]
            continue
        kind, place, fields = wanted
        # The row of slots goes with its scene.
        while kind == "removed" and rest and rest[0]["node_type"] == "clip_slot":
            rest.pop(0)
        assert rest, (path, wanted, "no record is left")
        record = rest.pop(0)
        assert (record["type"], record["path"]) == (kind, place), (path, wanted, record)
        for name, value in fields.items():
            assert value_of(record, name) == value, (path, wanted, record)
    while rest and rest[0]["node_type"] == "clip_slot" and rest[0]["type"] in ("added", "removed"):
        rest.pop(0)
    assert not rest, (path, "records that the table does not have", rest)


def value_of(record, name):
    match record["type"]:
        case "state_changed":
            assert record["attribute"] == name, record
            return record["new_value"]
        case _:
            return record["new_value"][name]


def run_table(sender, viewer):
    """Sends every event one by one; gives how many were processed."""
    silent = 0
    for path, arguments, expected in EVENTS:
        number = sender.send(path, arguments)
        if expected:
            check_records(path, viewer.records(number), expected)
        else:
            silent += 1  # the next event's records prove that nothing came for it
    for path, arguments in FREE:
        assert viewer.records(sender.send(path, arguments)), path
    for path, arguments in CURSOR:
        number = sender.send(path, arguments)
        message = viewer.receive()
        assert message["type"] == "live_event", message
        payload = message["payload"]
        told = (payload["event_path"], payload["args"], payload["seq_num"])
        assert told == (path, arguments, number) and "timestamp" in payload, payload
    return len(EVENTS) + len(FREE) + len(CURSOR)


def run_refused(sender, viewer):
    """Sends what must change nothing; the next change must be the marker's."""
    for path, arguments in REJECTED + UNHANDLED:
        sender.send(path, arguments)
    marker = sender.send("/live/track/color", [0, 1])
    check_records("marker", viewer.records(marker), [state("tracks[0]", "color", 1)])


def run_sequence(sender, viewer):
    """A duplicate, markers, a plain message, a gap with its ERROR, a late packet, a restart."""
    last = sender.next - 1
    sender.send_as(last, "/live/track/color", [0, 1])  # the marker again, byte for byte
    sender.plain("/live/batch/start", [7])
    sender.plain("/live/batch/end", [7])
    sender.raw(b"not OSC at all")
    sender.plain("/live/track/color", [0, 3])
    check_records("plain", viewer.records(None), [state("tracks[0]", "color", 3)])
    missing = sender.next
    sender.next += 7
    number = sender.send("/live/track/color", [0, 4])
    messages = [viewer.receive()]
    assert messages[0]["type"] == "ERROR", messages
    check_records("gap", viewer.records(number), [state("tracks[0]", "color", 4)])
    sender.send_as(missing, "/live/track/arm", [0, 1])
    check_records("late", viewer.records(missing), [state("tracks[0]", "is_armed", True)])


def run_parameter_stream(sender, viewer):
    """A stream of one parameter: fewer messages than events, and the last value always."""
    last = None
    for step in range(40):
        last = step / 64
        sender.send("/live/device/param", [2, 1, 1, last])
        time.sleep(0.01)
    values = []
    while not values or values[-1] != last:
        message = viewer.receive()
        assert message["type"] == "DIFF_UPDATE", message
        for record in message["payload"]["diff"]["changes"]:
            values.append(record["new_value"])
            viewer._replay(record)
    assert len(values) < 40, values
    return 40


def check_summary(url, sender, processed):
    summary = json.load(urllib.request.urlopen(f"{url}/summary", timeout=PATIENCE))
    events, udp = summary["event_processing"], summary["udp_listener"]
    refused = (len(REJECTED), len(UNHANDLED))
    assert (events["rejected"], events["unhandled"]) == refused, events
    assert events["total_processed"] == processed, (processed, events)
    classes = ["total_processed", "ignored", "unhandled", "rejected"]
    assert events["received"] == sum(events[name] for name in classes), events
    assert udp["packets_received"] == sender.datagrams, (sender.datagrams, udp)
    assert udp["packets_dropped"] == 6 and udp["sequence_gaps"] == 1, udp
    assert summary["errors_total"] == 0, summary["errors"]


@contextmanager
def serving(server):
    """The addresses of a server with a small set, on ports of its own choice, until it is told to end."""
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "set.xml"
        live_set.write(project)
        own = [f"--{name}=127.0.0.1:0" for name in ("udp", "ws", "http")]
        process = subprocess.Popen([server, "serve", project, *own], stdout=subprocess.PIPE, text=True)
        try:
            yield told_addresses(process)
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(timeout=PATIENCE)
        assert code == 0, f"the server ended with {code}"


def told_addresses(process):
    """What the server prints first: where it listens."""
    addresses = {}
    for line in process.stdout:
        name, _, url = line.partition(" ")
        addresses[name] = url.strip()
        if {"events", "viewers", "metrics"} <= addresses.keys():
            return addresses
    raise AssertionError(f"the server ended with {process.wait()} before it told its addresses")


def main():
    with serving(sys.argv[1]) as addresses:
        sender = Sender(int(addresses["events"].rpartition(":")[2]))
        viewer = Viewer(addresses["viewers"])
        processed = run_table(sender, viewer)
        run_refused(sender, viewer)
        run_sequence(sender, viewer)
        processed += 1 + 3 + run_parameter_stream(sender, viewer)
        later = Viewer(addresses["viewers"])
        assert without_hashes(viewer.tree) == without_hashes(later.tree), "replayed and current tree differ"
        ack = viewer.ask('{"request_id": "a1"}')
        assert ack == {"type": "ACK", "payload": {"status": "ok", "request_id": "a1"}}, ack
        problem = viewer.ask("no JSON")
        assert problem["type"] == "ERROR" and problem["payload"]["error"] == "Invalid JSON", problem
        check_summary(addresses["metrics"], sender, processed)
        viewer.close()
        later.close()
    print(f"{sender.datagrams} datagrams, {processed} events processed, every record as the table says")


if __name__ == "__main__":
    main()
