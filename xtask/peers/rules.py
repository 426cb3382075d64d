"""Alert rules written out: `promtool check rules` takes what `tachograph rules --prometheus` writes, and
Prometheus's own engine (`promtool test rules`) fires one with the right labels and message.

Usage: rules.py FOLDER TACHOGRAPH PROMTOOL
FOLDER has run.jsonl.gz, of the example `recording`.
"""

import json
import pathlib
import subprocess
import sys

folder, tachograph, promtool = (pathlib.Path(it).resolve() for it in sys.argv[1:4])

COMPARE = 'op = ">"\nthreshold = "{threshold}"\nlast = "5m"\n'
TIMING = ["p50", "p90", "p95", "p99", "p999", "mean", "max", "min", "count"]


def rule(name, statistic, *lines):
    head = f'[[rule]]\nname = "{name}"\nstatistic = "{statistic}"\nfor = "5s"\n'
    return head + "".join(f"{line}\n" for line in lines)


def rules():
    metric = 'metric = "event.processing.duration"'
    yield rule("Beat", "heartbeat")
    yield rule("Gone", "absent", 'metric = "events.processed"')
    yield rule("Quiet", "stale", 'metric = "events.processed"', 'last = "2m"')
    yield rule("Late", "stale", 'last = "30s"', "keep_firing_for = \"1m\"")
    for statistic in TIMING:
        threshold = "5" if statistic == "count" else "1ms"
        yield rule(f"Plain{statistic}", statistic, metric, COMPARE.format(threshold=threshold))
        tags = 'tags = { event_type = ["/a.b", "/c\\"d"] }'
        yield rule(f"Tagged{statistic}", statistic, metric, tags, COMPARE.format(threshold=threshold))
    for statistic in ["current", "mean", "max", "min", "count"]:
        clients = 'metric = "websocket.clients"'
        yield rule(f"Clients{statistic}", statistic, clients, COMPARE.format(threshold="5"))
    dropped = 'metric = "udp.packet.dropped"\nminus = ["udp.packet.recovered"]'
    for statistic, more in [("increase", ""), ("rate", ""), ("ratio", 'over = ["udp.packet.received"]')]:
        threshold = "1%" if statistic == "ratio" else "5"
        yield rule(f"Loss{statistic}", statistic, dropped, more, COMPARE.format(threshold=threshold))
        each = 'tags = { "local port" = "*" }\nlabels = { "team-x" = "a: \\"b\\"" }'
        until = "0.5%" if statistic == "ratio" else "0.5"
        message = f'message = "{{labels.team-x}}: {{value}} above {{threshold}}"\nuntil = "{until}"'
        lines = [dropped, more, each, message, COMPARE.format(threshold=threshold)]
        yield rule(f"Each{statistic}", statistic, *lines)
        yield rule(f"Whole{statistic}", statistic, dropped, more, COMPARE.format(threshold=threshold).replace('last = "5m"', ""))


text = [it.replace('threshold = "5"', "threshold = 5").replace('until = "0.5"', "until = 0.5") for it in rules()]
(folder / "rules.toml").write_text("\n".join(text))


def written(rules, *of):
    """The rules as Prometheus has them, judged by promtool."""
    command = [tachograph, "rules", "--prometheus", rules, *of]
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode != 0:
        sys.exit(told.stderr)
    (folder / "rules.yml").write_text(told.stdout)
    return judged("check", "rules", folder / "rules.yml") + told.stdout


def judged(*arguments):
    judged = subprocess.run([promtool, *arguments], capture_output=True, text=True, cwd=folder)
    if judged.returncode != 0:
        sys.exit(judged.stdout + judged.stderr + (folder / "rules.yml").read_text())
    return judged.stdout


for of in [[], ["--of", folder / "run.jsonl.gz"]]:
    told = written(folder / "rules.toml", *of)
    if f"{len(text)} rules found" not in told:
        sys.exit(told)

# A program in which two tags have the same label but for its number, and a rule about the second.
meta = {"format": 1, "program": "a", "version": "1", "started_ms": 1, "step_ms": 1000}
lines = [{"meta": meta}]
for number, port in enumerate(["1", "2"]):
    key = f"lost[local port={port},local-port=x]"
    labels = {"local_port": "x", "local_port_2": port}
    tags = {"local port": port, "local-port": "x"}
    series = {"number": number, "key": key, "name": "lost", "kind": "counter", "tags": tags}
    lines.append({"series": series | {"exported_name": "lost_total", "labels": labels}})
lines.append({"frame": {"version": 1, "end_ms": 1000, "span_ms": 1000, "counters": [[0, 1], [1, 1]]}})
(folder / "ports.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
(folder / "ports.toml").write_text("""
[[rule]]
name = "Lost"
metric = "lost"
statistic = "increase"
last = "5m"
op = ">"
threshold = 10
for = "1m"
severity = "critical"
tags = { "local port" = "*", "local-port" = "x" }
labels = { team-x = "a {{b}}" }
message = "{labels.team-x}: port {labels.local port} {value} > {threshold} {labels.severity}"
""")
written(folder / "ports.toml", "--of", folder / "ports.jsonl")
(folder / "tests.yml").write_text(json.dumps({
    "rule_files": ["rules.yml"],
    "evaluation_interval": "1m",
    "tests": [{
        "interval": "1m",
        "input_series": [
            {"series": 'lost_total{local_port="x",local_port_2="1"}', "values": "0+60x20"},
            {"series": 'lost_total{local_port="x",local_port_2="2"}', "values": "0+1x20"},
            {"series": 'lost_total{local_port="y",local_port_2="1"}', "values": "0+60x20"},
        ],
        "alert_rule_test": [{
            "eval_time": "10m",
            "alertname": "Lost",
            "exp_alerts": [{
                "exp_labels": {
                    "local_port": "x", "local_port_2": "1", "severity": "critical", "team_x": "a {{b}}",
                },
                "exp_annotations": {"description": "a {{b}}: port 1 300 > 10 critical"},
            }],
        }],
    }],
}))
judged("test", "rules", "tests.yml")

# A rate and an increase without a window: of 2 a second, one limit is below, one above.
whole = '[[rule]]\nname = "{name}"\nmetric = "lost"\nstatistic = "{statistic}"\nop = ">"\nthreshold = {threshold}\n'
limits = [("Slow", "rate", 1.9), ("Never", "rate", 2.1), ("Many", "increase", 1000), ("No", "increase", 3000)]
(folder / "whole.toml").write_text("".join(whole.format(name=n, statistic=s, threshold=t) for n, s, t in limits))
written(folder / "whole.toml", "--of", folder / "ports.jsonl")
(folder / "tests.yml").write_text(json.dumps({
    "rule_files": ["rules.yml"],
    "evaluation_interval": "1m",
    "tests": [{
        "interval": "1m",
        "input_series": [{"series": 'lost_total{local_port="x",local_port_2="1"}', "values": "0+120x20"}],
        "alert_rule_test": [
            {
                "eval_time": "15m",
                "alertname": name,
                "exp_alerts": [{"exp_labels": {"severity": "warning"}}] if name in ("Slow", "Many") else [],
            }
            for name, _, _ in limits
        ],
    }],
}))
judged("test", "rules", "tests.yml")
print(f"{len(text)} rules of every statistic, with and without their metrics: promtool takes them, and "
      "Prometheus fires one with the labels and the message of our engine, and rates without a window")
