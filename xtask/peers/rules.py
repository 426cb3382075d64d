"""Alert rules written out: `promtool check rules` takes what `tachograph rules --prometheus` writes.

Usage: rules.py FOLDER TACHOGRAPH PROMTOOL
FOLDER has run.jsonl.gz, of the example `recording`.
"""

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
        message = 'message = "{labels.team-x}: {value} above {threshold}"\nuntil = "0.5"'
        lines = [dropped, more, each, message, COMPARE.format(threshold=threshold)]
        yield rule(f"Each{statistic}", statistic, *lines)


text = [it.replace('threshold = "5"', "threshold = 5").replace('until = "0.5"', "until = 0.5") for it in rules()]
(folder / "rules.toml").write_text("\n".join(text))
for of in [[], ["--of", folder / "run.jsonl.gz"]]:
    command = [tachograph, "rules", "--prometheus", folder / "rules.toml", *of]
    written = subprocess.run(command, capture_output=True, text=True)
    if written.returncode != 0:
        sys.exit(written.stderr)
    (folder / "rules.yml").write_text(written.stdout)
    judged = subprocess.run([promtool, "check", "rules", folder / "rules.yml"], capture_output=True, text=True)
    if judged.returncode != 0 or f"{len(text)} rules found" not in judged.stdout:
        sys.exit(judged.stdout + judged.stderr + written.stdout)
print(f"{len(text)} rules of every statistic, with and without their metrics: promtool takes them")
