"""The messages of OpenTelemetry's own Python package read what the exporter writes as OTLP.

Each payload is read as protobuf and as JSON, which must say the same. The last totals and the sum of
all deltas are compared with what was recorded: values to the bit, every sample within the edges of
the bucket that it is counted in, but for the 1/2,048 that the exporter promises, and the exemplar
that was told last.

Usage: otlp.py FOLDER   (the folder that the example `otlp` of tachograph-export wrote)
"""

import base64
import json
import math
import sys
from pathlib import Path

from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    AGGREGATION_TEMPORALITY_DELTA,
)

ROUNDS = 3
OWN = "telemetry."
SLACK = 1 / 1024


def read(folder, stem):
    """A payload in both encodings."""
    request = ExportMetricsServiceRequest.FromString((folder / f"{stem}.pb").read_bytes())
    text = (folder / f"{stem}.json").read_text(encoding="utf-8")
    # Fields that the definition does not know are an error.
    as_json = json_format.ParseDict(with_bytes(json.loads(text)), ExportMetricsServiceRequest())
    assert request == as_json, f"{stem}: JSON and protobuf differ"
    (resource,) = request.resource_metrics
    told = {a.key: a.value.string_value for a in resource.resource.attributes}
    assert told["service.name"] == "peers" and told["service.instance.id"] == "one", told
    (scope,) = resource.scope_metrics
    assert scope.scope.name == "tachograph" and scope.scope.version, scope.scope
    return [metric for metric in scope.metrics if not metric.name.startswith(OWN)]


def with_bytes(value):
    """OTLP/JSON has the ids of traces and spans in hex, which the JSON of protobuf does not know."""
    if isinstance(value, list):
        return [with_bytes(each) for each in value]
    if not isinstance(value, dict):
        return value
    plain = {key: with_bytes(each) for key, each in value.items()}
    for key in ("traceId", "spanId"):
        if key in plain:
            plain[key] = base64.b64encode(bytes.fromhex(plain[key])).decode()
    return plain


def key_of(name, point):
    attributes = {a.key: a.value.string_value for a in point.attributes}
    assert len(attributes) == len(point.attributes), point
    return name, tuple(sorted(attributes.items()))


class Receiver:
    """Adds up what it is told, series by series."""

    def __init__(self, temporality):
        self.temporality = temporality
        self.series = {}
        self.until = {}

    def receive(self, metrics):
        for metric in metrics:
            kind = metric.WhichOneof("data")
            data = getattr(metric, kind)
            is_delta = self.is_delta(kind, data)
            for point in data.data_points:
                key = key_of(metric.name, point)
                assert point.start_time_unix_nano <= point.time_unix_nano, point
                if is_delta:
                    assert self.until.get(key, 0) <= point.start_time_unix_nano, point
                self.until[key] = point.time_unix_nano
                known = self.series.get(key, (None, None))[1] if is_delta else None
                value = VALUES[kind](data, point, known)
                self.series[key] = ((metric.unit, metric.description), value)

    def is_delta(self, kind, data):
        if kind == "gauge":
            return False
        is_level = kind == "sum" and not data.is_monotonic
        wanted = AGGREGATION_TEMPORALITY_CUMULATIVE if is_level else self.temporality
        assert data.aggregation_temporality == wanted, data
        return wanted == AGGREGATION_TEMPORALITY_DELTA


def gauge(_data, point, _known):
    return {"gauge": point.as_double}


def total(data, point, known):
    before = known["sum"] if known else 0
    return {"sum": before + point.as_int, "monotonic": data.is_monotonic}


def histogram(_data, point, known):
    buckets = {point.positive.offset + i: n for i, n in enumerate(point.positive.bucket_counts) if n}
    assert sum(buckets.values()) + point.zero_count == point.count, point
    assert not point.negative.bucket_counts and len(point.positive.bucket_counts) <= 160, point
    told = {
        "count": point.count,
        "sum": point.sum,
        "zeros": point.zero_count,
        "min": point.min,
        "max": point.max,
        "scale": point.scale,
        "buckets": buckets,
        "exemplar": exemplar(point),
    }
    return added(known, told) if known else told


def exemplar(point):
    """The one that a point has, as value, trace and span; None without."""
    if not point.exemplars:
        return None
    (one,) = point.exemplars
    assert one.time_unix_nano <= point.time_unix_nano, point
    assert len(one.trace_id) == 16 and len(one.span_id) == 8, point
    return one.as_double, one.trace_id.hex(), one.span_id.hex()


def added(one, other):
    """Two distributions, at the coarser scale of both."""
    scale = min(one["scale"], other["scale"])
    buckets = {}
    for part in (one, other):
        for index, count in part["buckets"].items():
            index >>= part["scale"] - scale
            buckets[index] = buckets.get(index, 0) + count
    return {
        "count": one["count"] + other["count"],
        "sum": one["sum"] + other["sum"],
        "zeros": one["zeros"] + other["zeros"],
        "min": min(one["min"], other["min"]),
        "max": max(one["max"], other["max"]),
        "scale": scale,
        "buckets": buckets,
        "exemplar": other["exemplar"] or one["exemplar"],
    }


VALUES = {"gauge": gauge, "sum": total, "exponential_histogram": histogram}


def check(series, expected):
    """Compares what a receiver knows with what was recorded; gives how many values."""
    compared = 0
    wanted = {(s["name"], tuple(sorted(s["attributes"].items()))): s for s in expected}
    # An increment by nothing is no news: deltas leave it out.
    for key, recorded in wanted.items():
        value = recorded["recorded"]
        if key not in series:
            assert value.get("sum") == "0", f"{key} is missing"
            continue
        (unit, description), told = series[key]
        assert (unit, description) == (recorded["unit"], recorded["description"]), (key, unit)
        if "samples" in value:
            compared += check_samples(told, value["samples"], value["per_unit"])
            check_exemplar(told["exemplar"], value["exemplar"], value["per_unit"])
        elif "sum" in value:
            assert (told["sum"], told["monotonic"]) == (int(value["sum"]), value["monotonic"]), key
            compared += 1
        else:
            assert told == value, (key, told, value)
            compared += 1
    assert series.keys() <= wanted.keys(), series.keys() - wanted.keys()
    return compared


def check_samples(told, samples, per_unit):
    samples = sorted(samples)
    assert told["count"] == len(samples), (told, samples)
    assert math.isclose(told["sum"], sum(samples) / per_unit, rel_tol=1e-12), (told, samples)
    assert (told["min"], told["max"]) == (samples[0] / per_unit, samples[-1] / per_unit), (told, samples)
    width = 2.0 ** -told["scale"]
    edges = [(0.0, 0.0)] * told["zeros"]
    for index, count in sorted(told["buckets"].items()):
        edges += [(2.0 ** (index * width), 2.0 ** ((index + 1) * width))] * count
    for sample, (low, high) in zip(samples, edges, strict=True):
        value = sample / per_unit
        assert low * (1 - SLACK) <= value <= high * (1 + SLACK), (value, low, high)
    return len(samples) + 4


def check_exemplar(told, recorded, per_unit):
    """The greatest traced sample: all of it is within the window of the first sample."""
    wanted = recorded and (recorded["sample"] / per_unit, recorded["trace_id"], recorded["span_id"])
    assert told == (wanted and tuple(wanted)), (told, wanted)


def main():
    folder = Path(sys.argv[1])
    compared = 0
    registries = (folder / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    assert registries, "no registry was written"
    for number, line in enumerate(registries):
        expected = json.loads(line)
        for way, temporality in [
            ("total", AGGREGATION_TEMPORALITY_CUMULATIVE),
            ("delta", AGGREGATION_TEMPORALITY_DELTA),
        ]:
            receiver = Receiver(temporality)
            for round_ in range(ROUNDS):
                receiver.receive(read(folder, f"{number}.{round_}.{way}"))
            compared += check(receiver.series, expected)
    assert compared > 100 * len(registries), compared
    print(f"opentelemetry-proto reads {compared} values of {len(registries)} registries as recorded")


if __name__ == "__main__":
    main()
