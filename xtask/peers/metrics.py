"""Lets promtool read what a server says of itself, once it has processed an event.

Usage: metrics.py SERVER PROMTOOL
"""

import subprocess
import sys
import time
import urllib.request

from events import PATIENCE, Sender, serving
from viewer import Viewer

PROCESSED = b"\nevents_processed_total 1\n"


def scrape(url):
    """The metrics, once the event is among them: a snapshot is published ten times a second."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        text = urllib.request.urlopen(f"{url}/metrics", timeout=PATIENCE).read()
        if PROCESSED in text:
            return text
    raise AssertionError(f"the metrics never said {PROCESSED.decode().strip()}")


def main():
    server, promtool = sys.argv[1:]
    with serving(server) as addresses:
        viewer = Viewer(addresses["viewers"])
        sender = Sender(int(addresses["events"].rpartition(":")[2]))
        viewer.records(sender.send("/live/track/color", [0, 1]))
        text = scrape(addresses["metrics"])
        viewer.close()
    command = [promtool, "check", "metrics"]
    told = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE)
    complaints = (told.stdout + told.stderr).decode()
    assert told.returncode == 0 and not complaints.strip(), complaints
    print(f"promtool has no complaint about {text.count(b'# TYPE ')} families")


if __name__ == "__main__":
    main()
