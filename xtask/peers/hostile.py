"""Two parsers of others read what the exporter writes of hostile registries.

Each registry is read by prometheus-client's strict parser of OpenMetrics, and compared with what was
recorded, exemplars included. All of them together are read by promtool's parser into blocks, whose samples must be
those that the first parser has read.

Usage: hostile.py FOLDER PROMTOOL   (the folder that the example `hostile` of tachograph-export wrote)
"""

import json
import math
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

RENAMED = "telemetry_prometheus_renamed"
OWN_LABELS = {"quantile", "le"}

# When the first registry was aggregated; each other one a second later.
FIRST = 1_700_000_000


def bits(value):
    """A float with all its bits; all NaNs are one."""
    return "NaN" if math.isnan(value) else struct.pack(">d", value)


def read_back(families, expected, time):
    """Compares families with what was recorded, in order; gives how many values.

    The time is that of all exemplars; None where the format has none.
    """
    assert len(families) == len(expected), (len(families), len(expected))
    return sum(family_reads_back(family, wanted, time) for family, wanted in zip(families, expected))


def family_reads_back(family, wanted, time):
    assert family.type == wanted["type"], (family.name, family.type, wanted)
    if wanted["help"] is not None:
        # The parser drops what is white at the ends of HELP.
        told = wanted["help"].replace("\0", "\ufffd")
        assert family.documentation.strip() == told.strip(), (family, wanted)
    samples = iter([s for s in family.samples if s.name != f"{family.name}_created"])
    compared = 0
    for series in wanted["series"]:
        labels = [label.replace("\u2400", "\u2400\u2400").replace("\0", "\u24000") for label in series["labels"]]
        values = series["values"]
        rows = [next(samples) for _ in range(row_count(family, values))]
        for row in rows:
            own = [value for key, value in row.labels.items() if key not in OWN_LABELS]
            assert own == labels, (row, series)
        # Of buckets that the generator has no samples of, the sum and the count are known.
        for row, value in zip(rows[-len(values) :], values):
            assert bits(float(row.value)) == bits(float(value)), (row, value, series)
            compared += 1
        compared += exemplar_reads_back(rows, series, time)
    assert next(samples, None) is None, f"samples of no series in {family.name}"
    return compared


def exemplar_reads_back(rows, series, time):
    """Compares the exemplar of a series, in which bucket it is too; gives how many."""
    found = [row for row in rows if row.exemplar]
    if time is None or not all("le" in row.labels for row in rows[:-2]):
        assert not found, found
    if not found:
        assert time is None or "le" not in rows[0].labels or not series.get("exemplar"), series
        return 0
    (row,) = found
    below = max((bound(r) for r in rows[:-2] if bound(r) < bound(row)), default=-math.inf)
    assert below < row.exemplar.value <= bound(row), (row, below)
    assert float(row.exemplar.timestamp) == time, (row, time)
    if "exemplar" in series:
        wanted = series["exemplar"]
        assert math.isclose(row.exemplar.value, float(wanted["value"]), rel_tol=1e-15), (row, wanted)
        ids = {key: wanted[key] for key in ("trace_id", "span_id") if wanted[key]}
        assert row.exemplar.labels == ids, (row, wanted)
    return 1


def bound(row):
    return float(row.labels["le"])


def row_count(family, values):
    return 9 if family.type == "histogram" else len(values)


def check_python(folder, registries):
    """Reads every registry in both formats; gives the samples of OpenMetrics and how many values."""
    samples, compared = {}, 0
    for number, expected in enumerate(registries):
        families = list(parse_open_metrics(read(folder / f"{number}.om")))
        own = families.pop()
        assert own.name.endswith(RENAMED), own
        compared += read_back(families, expected, FIRST + number)
        *plain, _ = parse_text(read(folder / f"{number}.txt"))
        compared += read_back(plain, expected, None)
        for family in [*families, own]:
            for sample in family.samples:
                key = (sample.name, *sorted(sample.labels.items()), int(float(sample.timestamp) * 1000))
                assert key not in samples, key
                samples[key] = bits(float(sample.value))
    return samples, compared


def read(path):
    return path.read_bytes().decode()


def check_promtool(folder, promtool, count, samples):
    """Has promtool read all of it, and compares what it gives back."""
    together = folder / "together.om"
    parts = (read(folder / f"{number}.om").removesuffix("# EOF\n") for number in range(count))
    together.write_text("".join(parts) + "# EOF\n", newline="")
    blocks = folder / "blocks"
    shutil.rmtree(blocks, ignore_errors=True)
    # A database has one, which the dump looks for.
    (blocks / "wal").mkdir(parents=True)
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", together, blocks)
    dump = run(promtool, "tsdb", "dump", blocks)
    found = {}
    for line in split_lines(dump):
        key, value = parse_dump(line)
        assert key not in found, line
        found[key] = bits(float(value))
    missing = samples.keys() - found.keys()
    assert not missing, f"{len(missing)} samples are missing, as {sorted(missing)[0]}"
    assert found == samples, next((k, found[k], samples.get(k)) for k in found if found[k] != samples.get(k))


def run(*command):
    told = subprocess.run([str(word) for word in command], capture_output=True, timeout=300)
    assert told.returncode == 0, told.stderr.decode()
    return told.stdout.decode()


def split_lines(text):
    return [line for line in text.split("\n") if line]


LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:, )?')


def parse_dump(line):
    """A line of the dump: labels in Go's syntax of strings, the value, the time in milliseconds."""
    end = line.rindex("}")
    value, timestamp = line[end + 1 :].split()
    labels = {name: unquote(text) for name, text in LABEL.findall(line[1:end])}
    name = labels.pop("__name__")
    return (name, *sorted(labels.items()), int(timestamp)), value


ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)")
NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def unquote(text):
    """A string in Go's syntax."""

    def plain(found):
        escape = found[1]
        return chr(int(escape[1:], 16)) if len(escape) > 1 else NAMED.get(escape, escape)

    return ESCAPE.sub(plain, text)


def main():
    folder, promtool = Path(sys.argv[1]), sys.argv[2]
    registries = [json.loads(line) for line in read(folder / "expected.jsonl").splitlines()]
    samples, compared = check_python(folder, registries)
    check_promtool(folder, promtool, len(registries), samples)
    print(
        f"{len(registries)} registries: prometheus-client has {compared} values as recorded, "
        f"promtool the same {len(samples)} samples"
    )


if __name__ == "__main__":
    main()
