"""Alerts of the program before a real Alertmanager: they arrive, are grouped, and are resolved, also
those that change while it is down for a minute.

    alertmanager.py PROGRAM ALERTMANAGER
"""

import http.server
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

DOWN_SECONDS = 60
LONG = 60

CONFIG = """
route:
  receiver: here
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
receivers:
  - name: here
    webhook_configs:
      - url: http://127.0.0.1:{port}/
        send_resolved: true
"""


def free_port():
    with http.server.socketserver.TCPServer(("127.0.0.1", 0), None) as server:
        return server.server_address[1]


class Notified:
    """What Alertmanager has sent on: how often each machine's alert was in each state."""

    def __init__(self):
        self.seen = []
        notified = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                notified.seen.append(json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def states(self):
        """The last state that was told of each machine."""
        states = {}
        for group in list(self.seen):
            for alert in group["alerts"]:
                states[alert["labels"]["machine"]] = alert["status"]
        return states

    def until(self, wanted):
        begun = time.monotonic()
        while self.states() != wanted:
            if time.monotonic() - begun > LONG:
                sys.exit(f"{self.states()} was told, not {wanted}")
            time.sleep(0.1)


class Alertmanager:
    """A process that keeps its data when it is started again."""

    def __init__(self, binary, folder, port):
        self.port = port
        self.command = [
            binary,
            f"--config.file={folder}/config.yml",
            f"--storage.path={folder}/data",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        self.start()

    def start(self):
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.command, stdout=quiet, stderr=quiet)
        begun = time.monotonic()
        while True:
            try:
                return self.get("/-/ready")
            except OSError:
                if time.monotonic() - begun > LONG or self.process.poll() is not None:
                    sys.exit("the Alertmanager does not start")
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
            return answer.read()

    def alerts(self):
        return json.loads(self.get("/api/v2/alerts"))


def main():
    program, binary = sys.argv[1:]
    notified = Notified()
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "config.yml").write_text(CONFIG.format(port=notified.port))
        alertmanager = Alertmanager(binary, folder, free_port())
        url = f"http://127.0.0.1:{alertmanager.port}"
        pipe = subprocess.PIPE
        loads = subprocess.Popen([program, url], stdin=pipe, stdout=pipe, text=True)
        try:
            compare(notified, alertmanager, loads)
        finally:
            loads.kill()
            alertmanager.stop()


def compare(notified, alertmanager, loads):
    address = loads.stdout.readline().strip()

    def load(machine, value):
        loads.stdin.write(f"{machine} {value}\n")
        loads.stdin.flush()

    def told():
        with urllib.request.urlopen(f"http://{address}/alerts", timeout=5) as answer:
            return json.loads(answer.read())["sinks"][0]

    for machine in ["a", "b", "c"]:
        load(machine, 3)
    notified.until({"a": "firing", "b": "firing", "c": "firing"})
    groups = {group["groupKey"] for group in notified.seen}
    assert len(groups) == 1, f"one group of three alerts, not {groups}"
    for alert in alertmanager.alerts():
        labels = alert["labels"]
        assert labels["alertname"] == "Load" and labels["severity"] == "warning", labels
        said = f"the load of {labels['machine']} is 3"
        assert alert["annotations"]["summary"] == said, alert["annotations"]
    load("c", 0)
    notified.until({"a": "firing", "b": "firing", "c": "resolved"})
    alertmanager.stop()
    load("a", 0)
    load("d", 5)
    load("e", 5)
    time.sleep(DOWN_SECONDS / 2)
    load("e", 0)
    time.sleep(DOWN_SECONDS / 2)
    waiting = told()
    assert waiting["waiting"] == 4 and waiting["last_error"], waiting
    alertmanager.start()
    wanted = {"a": "resolved", "b": "firing", "c": "resolved", "d": "firing"}
    # What was over before it was back may be told of, or not.
    begun = time.monotonic()
    while {key: state for key, state in notified.states().items() if key != "e"} != wanted:
        if time.monotonic() - begun > LONG:
            sys.exit(f"{notified.states()} was told, not {wanted}")
        time.sleep(0.1)
    after = told()
    assert (after["delivered"], after["dropped"], after["waiting"]) == (8, 0, 0), after
    down = f"4 of them while it was down for {DOWN_SECONDS} s"
    print(f"8 changes of 5 alerts delivered, {down}, none lost")


main()
