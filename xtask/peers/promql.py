"""A real Prometheus answers the questions that the fleet's simulation answers by itself.

Increases of counters that restart, and quantiles of added-up classic histograms: the samples are loaded
as blocks, and every answer must be the simulation's, but for rounding.

Usage: promql.py FOLDER PROMTOOL PROMETHEUS   (the folder that the example `promql` of fleet wrote)
"""

import json
import math
import shutil
import sys
import urllib.parse
from collections import Counter
from pathlib import Path

from fleet import prometheus, read
from hostile import run


def answer(base, query, time):
    """The one value of an instant query; `None` where it has none."""
    asked = urllib.parse.urlencode({"query": query, "time": time})
    told = json.loads(read(f"{base}/api/v1/query?{asked}"))
    assert told["status"] == "success", (query, told)
    result = told["data"]["result"]
    assert len(result) <= 1, (query, result)
    return float(result[0]["value"][1]) if result else None


def is_same(told, expected):
    if told is None or expected is None:
        return told is expected
    return math.isclose(told, expected, rel_tol=1e-9, abs_tol=1e-9)


def main():
    folder, promtool, program = (Path(argument).resolve() for argument in sys.argv[1:])
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    run(promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet", folder / "samples.txt", data)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    lines = (folder / "expected.jsonl").read_text().splitlines()
    asked = Counter()
    with prometheus(program, folder) as base:
        for line in lines:
            expected = json.loads(line)
            told = answer(base, expected["query"], expected["time"])
            assert is_same(told, expected["value"]), (expected, told)
            asked[expected["query"].split("(")[0]] += told is not None
    assert len(asked) == 2 and min(asked.values()) > len(lines) / 4, asked
    print(", ".join(f"{count} answers of {function}()" for function, count in asked.items()), "as simulated")


if __name__ == "__main__":
    main()
