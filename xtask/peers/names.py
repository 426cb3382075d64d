"""A real Prometheus scrapes counters whose names collide, while they come one after the other.

It must see each counter under one name from its first scrape to its last, with the values that were
counted, and no other counter's among them: then it sees no reset.

Usage: names.py FOLDER PROMETHEUS   (the folder that the example `names` of tachograph-export wrote)
"""

import json
import re
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import groupby
from pathlib import Path

from fleet import ask, free_port, prometheus, read, wait_for

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Page(BaseHTTPRequestHandler):
    """Answers with the page of the present step."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", TYPE)
        self.end_headers()
        self.wfile.write(self.server.page.encode())

    def log_message(self, *_):
        pass


def values_over_time(base, name):
    """What Prometheus has stored of a series without labels of its own, without repetitions."""
    answer = json.loads(read(f"{base}/api/v1/query?query={name}[1h]"))
    assert answer["status"] == "success", answer
    [series] = answer["data"]["result"]
    return [float(value) for value, _ in groupby(value for _, value in series["values"])]


def check(base, server, steps):
    """Serves one step after the other; gives the names that each metric had."""
    names, values = {}, {}
    for number, step in enumerate(steps):
        server.page = step["page"]
        wait_for(lambda: [v for _, v in ask(base, "step")] == [number], f"step {number} is scraped")
        told = {metric: name for name, metric in re.findall(r"# HELP (\S+) counter (.*)", step["page"])}
        for metric, value in step["values"].items():
            names.setdefault(metric, set()).add(told[metric])
            seen = values.setdefault(metric, [])
            if seen[-1:] != [value]:
                seen.append(value)
    for metric, seen in values.items():
        assert len(names[metric]) == 1, (metric, names[metric])
        [name] = names[metric]
        assert values_over_time(base, name) == seen, (metric, name, values_over_time(base, name), seen)
        assert [v for _, v in ask(base, f"resets({name}[1h])")] == [0], name
    return names


def main():
    folder, program = (Path(argument).resolve() for argument in sys.argv[1:])
    steps = [json.loads(line) for line in (folder / "pages.jsonl").read_text().splitlines()]
    shutil.rmtree(folder / "data", ignore_errors=True)
    server = HTTPServer(("127.0.0.1", free_port()), Page)
    server.page = steps[0]["page"]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "prometheus.yml").write_text(
        "scrape_configs:\n- job_name: names\n  scrape_interval: 200ms\n  scrape_timeout: 200ms\n"
        f"  static_configs:\n  - targets: ['127.0.0.1:{server.server_port}']\n"
    )
    with prometheus(program, folder) as base:
        names = check(base, server, steps)
    server.shutdown()
    print(f"{len(names)} counters that would have one name keep theirs over {len(steps)} scrapes, without a reset")


if __name__ == "__main__":
    main()
