"""`tachograph top` in a real terminal, tmux: its screens, resizing, a lost connection, its end.

Usage: terminal.py FOLDER TACHOGRAPH EXAMPLES TMUX
FOLDER has run.jsonl.gz and known.json, of the example `recording`; EXAMPLES the built examples.
"""

import gzip
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

folder, tachograph, examples = (pathlib.Path(it).resolve() for it in sys.argv[1:4])
tmux = [sys.argv[4], "-L", f"tachograph-{os.getpid()}", "-f", "/dev/null"]
recording = folder / "run.jsonl.gz"
BEFORE = "what was there before"


def run(*command):
    return subprocess.run([*tmux, *command], capture_output=True, text=True, check=True).stdout


def start(command, width, height):
    """A shell in a terminal of this size, in which the command is run."""
    run("new-session", "-d", "-s", "it", "-x", str(width), "-y", str(height), "env", "PS1=$ ", "sh")
    run("set-option", "-g", "history-limit", "0")
    type_in(f"clear; echo {BEFORE}; {command}; echo ended $?")


def type_in(text):
    run("send-keys", "-t", "it", "-l", text)
    run("send-keys", "-t", "it", "Enter")


def press(*keys):
    run("send-keys", "-t", "it", *keys)


def screen():
    return run("capture-pane", "-p", "-t", "it")


def see(*wanted, within=30):
    """Waits until all of this is on the screen, and gives the screen."""
    end = time.monotonic() + within
    while True:
        text = screen()
        missing = [it for it in wanted if not re.search(it, text)]
        if not missing:
            return text
        if time.monotonic() > end:
            sys.exit(f"{missing} did not come; the screen is:\n{text}")
        time.sleep(0.1)


def stop():
    run("kill-session", "-t", "it")


def is_given_back(code):
    """The screen of before is there, the cursor is shown, and what is typed is echoed again."""
    see(re.escape(BEFORE), f"ended {code}")
    flags = run("display-message", "-p", "-t", "it", "#{alternate_on} #{cursor_flag}").split()
    assert flags == ["0", "1"], flags
    type_in("echo typed")
    see(r"(?m)^\$ echo typed\s*$", r"(?m)^typed\s*$")


def pid_of(name):
    pane = run("display-message", "-p", "-t", "it", "#{pane_pid}").strip()
    found = subprocess.run(["pgrep", "-P", pane, name], capture_output=True, text=True).stdout
    return int(found.split()[0])


def rank(samples, q):
    ordered = sorted(samples)
    return ordered[max(1, -int(-q * len(ordered) // 1)) - 1]


UNITS = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0}


def screens(width, height):
    """Each screen by its key, with what must be on it; the detail's numbers against the samples."""
    start(f"{tachograph} top {recording}", width, height)
    see("ast-server", "■ file", "events .*/s", "busiest", "[░▒▓█]{4}", "q quit")
    if width >= 120:
        see("percentiles of", "worst samples")
    press("2")
    see(r"\d+ series, by rate", "event.processing.duration", "telemetry")
    press("/")
    press(*"process dur")
    see("search: process dur")
    press("Enter")
    see("match “process dur”")
    press("Enter", *["-"] * 5)
    text = see("heat map", "percentiles", "histogram", r"everything: [\d,]+ samples")
    known = json.loads((folder / "known.json").read_text())["samples"]
    count = int(re.search(r"([\d,]+) samples", text)[1].replace(",", ""))
    assert count == len(known), (count, len(known))
    for name, q in [("p50", 0.5), ("p99", 0.99)]:
        value, unit = re.search(rf"{name} ([\d.]+) (\w+)", text).groups()
        ratio = float(value) * UNITS[unit] / (rank(known, q) * 1e-9)
        assert 1 / 1.09 < ratio < 1.09, (name, value, unit, ratio)
    press("Escape", "3")
    see("a recording holds no alerts")
    press("4")
    see("no findings|the tail of|✗|▲")
    press("?")
    see("this help", "a minute back")
    press("q")
    is_given_back(0)
    stop()


def resize():
    start(f"{tachograph} top {recording}", 80, 24)
    see("busiest")
    run("resize-window", "-t", "it", "-x", "200", "-y", "50")
    text = see("percentiles of", "worst samples")
    assert len(text.splitlines()) >= 50
    run("resize-window", "-t", "it", "-x", "40", "-y", "10")
    see("rate/now")
    run("resize-window", "-t", "it", "-x", "80", "-y", "24")
    see("busiest", "q quit")
    press("C-c")
    is_given_back(0)
    stop()


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def serve(port):
    return subprocess.Popen([examples / "server", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)


def lost_and_back():
    """The connection is lost twice; what is known stays, its age grows, and it comes back."""
    port = free_port()
    server = serve(port)
    try:
        time.sleep(1)
        start(f"{tachograph} top 127.0.0.1:{port}", 80, 24)
        see("● ok|▲", "events [1-9].*/s")
        # Pending, then firing: on the page of alerts, and above everything else.
        press("3")
        see("▲ Busy +firing", "● Slow +ok", "log .* delivered", "pending → firing")
        press("1")
        see("▲ 1 firing", "▲ Busy firing .*: .* events in 30 s")
        server.kill()
        server.wait()
        see("✗ lost", r"data [\d.]+s old, retry in", "event.processing.duration")
        see("✗ lost [3-9]", r"data [3-9][\d.]*s old")
        server = serve(port)
        see("● ok|▲", r"[01]\.\ds ago")
        press("Space")
        see("paused at")
        press("Space")
        see(r"[01]\.\ds ago")
        os.kill(pid_of("tachograph"), signal.SIGTERM)
        is_given_back(0)
        stop()
    finally:
        server.kill()
        server.wait()


def panic():
    start(f"{examples / 'panics'} {recording}", 80, 24)
    see("this panic is meant", within=30)
    is_given_back(101)
    stop()


def colours():
    """256 where there are, none with NO_COLOR."""
    shown = {}
    for name, variable in [("palette", "COLORTERM=truecolor"), ("none", "NO_COLOR=1")]:
        start(f"{variable} {tachograph} top {recording}", 80, 24)
        see("busiest", "[░▒▓█]{4}")
        shown[name] = run("capture-pane", "-p", "-e", "-t", "it")
        press("q")
        is_given_back(0)
        stop()
    assert "\x1b[38;5;" in shown["palette"]
    assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|9[0-7])[;m]", shown["none"])


def file():
    """The file, read by nothing of ours: counts are equal."""
    keys, counts = {}, {}
    with gzip.open(recording, "rt", encoding="utf-8") as lines:
        for line in map(json.loads, lines):
            if "series" in line:
                keys[line["series"]["number"]] = line["series"]["key"]
            frame = line.get("frame", {})
            for number, change in frame.get("counters", []):
                counts[keys[number]] = counts.get(keys[number], 0) + change
            for number, step in frame.get("timings", []):
                assert sum(count for _, count in step["buckets"]) == step["count"]
                counts[keys[number]] = counts.get(keys[number], 0) + step["count"]
    known = json.loads((folder / "known.json").read_text())
    for name, count in known["counts"].items():
        assert counts[name] == count, (name, counts[name], count)
    assert counts["event.processing.duration"] == len(known["samples"])
    return len(known["samples"])


try:
    samples = file()
    screens(80, 24)
    screens(200, 50)
    resize()
    colours()
    panic()
    lost_and_back()
finally:
    subprocess.run([*tmux, "kill-server"], capture_output=True)
print(f"6 screens at 2 sizes, {samples} samples; resized, lost and back; 4 ways to end")
