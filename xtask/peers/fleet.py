"""A real Prometheus scrapes four servers under load for 30 s, with what `ast-server deploy` writes.

Every server must be up in every scrape, counters must equal what was sent, and the fleet's p99 from
native histograms must lie within 3 % of that of all samples. The samples are those of the servers'
own buckets (`/metrics.json?buckets=1`), which hold each to 0.05 %.

Usage: fleet.py SERVER PROMETHEUS
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

from events import PATIENCE, Sender, serving

SERVERS = 4
SECONDS = 30
# Events of each server in one burst, and the time between two: no receive buffer overflows.
BURST = 20
PAUSE = 0.05
DURATION = 'event_processing_duration_seconds{job="ast-server",event_type=""}'


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read()


@contextmanager
def prometheus(program, folder):
    """Its address, once it is ready. Data and configuration are in the folder."""
    address = f"127.0.0.1:{free_port()}"
    command = [
        program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address={address}", "--enable-feature=native-histograms",
    ]
    with open(folder / "prometheus.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_for(lambda: is_ready(address, process), "Prometheus is ready")
        yield f"http://{address}"
    except BaseException:
        print((folder / "prometheus.log").read_text(), file=sys.stderr)
        raise
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def is_ready(address, process):
    assert process.poll() is None, f"Prometheus ended with {process.returncode}"
    try:
        return read(f"http://{address}/-/ready") is not None
    except OSError:
        return False


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"it never came that {what}"
        time.sleep(0.1)


def ask(base, query):
    """Label sets and values of an instant query."""
    answer = json.loads(read(f"{base}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
    assert answer["status"] == "success", (query, answer)
    return [(found["metric"], float(found["value"][1])) for found in answer["data"]["result"]]


def by_instance(base, query):
    return {metric["instance"]: value for metric, value in ask(base, query)}


def load(senders):
    """Sends to all servers for as long as the check lasts. The sets have 4 tracks."""
    deadline = time.monotonic() + SECONDS
    turn = 0
    while time.monotonic() < deadline:
        for sender in senders:
            for number in range(BURST):
                turn += 1
                path = "/live/track/renamed" if number % 4 == 0 else "/live/track/volume"
                value = f"Track {turn}" if number % 4 == 0 else (turn % 100) / 100
                sender.send(path, [turn % 4, value])
        time.sleep(PAUSE)


def quantile(q, addresses):
    """The value of that rank among all samples, and how many there are."""
    buckets = []
    for url in addresses:
        timings = json.loads(read(f"{url}/metrics.json?buckets=1"))["metrics"]["timings"]
        found = timings["event.processing.duration"]["buckets"]
        buckets += [((it["low"] + it["high"]) / 2, it["count"]) for it in found]
    total = sum(count for _, count in buckets)
    rank = -(-total * q // 1)
    for value, count in sorted(buckets):
        rank -= count
        if rank <= 0:
            return value, total
    raise AssertionError("no samples")


def check(base, servers, senders):
    instances = [url.removeprefix("http://") for url in servers]
    sent = dict(zip(instances, (sender.datagrams for sender in senders)))
    received = 'events_received_total{job="ast-server"}'
    wait_for(lambda: by_instance(base, received) == sent, f"{received} is {sent}")
    # A server that was down once has a lower minimum; the first scrape may be anywhere in the span.
    assert by_instance(base, "min_over_time(up[1m])") == dict.fromkeys(instances, 1.0)
    for name in ("events_processed_total", "udp_packet_received_total"):
        assert by_instance(base, f'{name}{{job="ast-server"}}') == sent, name
    errors = {}
    for q in (0.5, 0.95, 0.99):
        exact, total = quantile(q, servers)
        assert total == sum(sent.values()), (total, sent)
        [(_, estimate)] = ask(base, f"histogram_quantile({q}, sum({DURATION}))")
        errors[q] = abs(estimate / exact - 1)
        assert errors[q] <= 0.03, f"p{q * 100:g} is {estimate}, exactly {exact}"
    [(_, count)] = ask(base, f"histogram_count(sum({DURATION}))")
    assert count == sum(sent.values()), (count, sent)
    return sum(sent.values()), errors


def check_rules(base):
    """What `deploy` records is there while events come, and no alert is on its way."""
    for record in ("job:event_processing_duration_seconds:p99", "job:events_processed:rate"):
        assert len(ask(base, record)) == 1, f"{record} was not recorded"
    instances = ask(base, "instance:event_processing_duration_seconds:p95")
    assert len(instances) == SERVERS, instances
    alerts = json.loads(read(f"{base}/api/v1/alerts"))["data"]["alerts"]
    # The servers of the test share a machine with whatever else it does.
    wrong = [alert for alert in alerts if alert["labels"]["alertname"] not in ("AstServerSlow", "AstServerBehind")]
    assert not wrong, wrong
    groups = json.loads(read(f"{base}/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert all(rule["health"] == "ok" for rule in rules), [r for r in rules if r["health"] != "ok"]
    return len(rules)


def check_dashboard(base, file):
    """Every query of the dashboard is understood."""
    panels = json.loads(file.read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel.get("targets", [])]
    for query in queries:
        for variable, value in (("$__rate_interval", "20s"), ("$__range", "1m"), ("$instance", ".*")):
            query = query.replace(variable, value)
        ask(base, query)
    return len(queries)


def main():
    server, program = (Path(argument).resolve() for argument in sys.argv[1:])
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        addresses = [stack.enter_context(serving(server)) for _ in range(SERVERS)]
        servers = [address["metrics"] for address in addresses]
        targets = [f"--target={url.removeprefix('http://')}" for url in servers]
        subprocess.run([server, "deploy", folder, "--scrape-interval=1s", *targets], check=True, stdout=subprocess.DEVNULL)
        base = stack.enter_context(prometheus(program, folder))
        senders = [Sender(int(address["events"].rpartition(":")[2])) for address in addresses]
        load(senders)
        rules = check_rules(base)
        sent, errors = check(base, servers, senders)
        queries = check_dashboard(base, folder / "grafana-dashboard.json")
    told = ", ".join(f"p{q * 100:g} {error:.2%}" for q, error in errors.items())
    print(f"{sent} events in {SERVERS} servers counted; off by {told}; {rules} rules and {queries} queries good")


if __name__ == "__main__":
    main()
