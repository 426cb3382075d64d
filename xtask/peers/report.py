"""Reports in a headless Chromium, opened from disk: they show the recording's own numbers, say nothing
to the console, and ask nobody for anything.

    report.py FOLDER TACHOGRAPH PICTURES [AXE]

FOLDER has the recordings run.jsonl.gz and before.jsonl.gz, and the samples of the first in known.json;
TACHOGRAPH is the program. Pictures are left in the folder PICTURES.
"""

import json
import math
import pathlib
import subprocess
import sys

from browser import Browser, pictures, serious

LATENCY = "event.processing.duration"


def write(tachograph, folder, name, *more):
    report = folder / name
    command = [tachograph, "report", folder / "run.jsonl.gz", *more, "--output", report, "--force"]
    subprocess.run(command, check=True, capture_output=True)
    return report


def open_report(page, report, hash_):
    page.open("about:blank")
    page.open(f"{report.as_uri()}{hash_}")
    page.wait("typeof tachograph === 'object' && tachograph.view !== null", f"{report} shows nothing", 30)


def check_numbers(page, report, known):
    """All samples of the recording are in the report, and the headline is their quantile."""
    open_report(page, report, "#/well")
    counted = page.run(f"""(() => {{
        const column = tachograph.store.fine.columns[tachograph.store.byKey.get("{LATENCY}").id];
        let count = 0;
        for (let row = 0; row < column.length; row += 1) count += column.rows.data[column.at(row) + 1];
        return count;
    }})()""")
    samples = sorted(known["samples"])
    assert counted == len(samples), (counted, len(samples))
    page.wait("document.querySelector('[data-tile=\"latency p99\"]')?.dataset.p99 > 0", "there is no headline")
    shown = page.run("({...document.querySelector('[data-tile=\"latency p99\"]').dataset})")
    for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        right = samples[math.ceil(q * len(samples)) - 1] * 1e-9
        assert abs(float(shown[name]) / right - 1) < 0.046, (name, shown, right)
    # The worst sample leads to its moment.
    page.click(".worst button")
    page.wait("/from=/.test(location.hash) && document.querySelector('.one canvas') !== null", "the worst sample leads nowhere")
    worst = page.run("document.querySelector('.one .worst .number').title")
    assert abs(float(worst.split()[0]) / (samples[-1] * 1e-9) - 1) < 0.001, (worst, samples[-1])
    page.press("Escape")
    page.wait("!/from=/.test(location.hash)", "esc does not go back")
    return counted


def check_comparison(page, report, text):
    """The rows are those of `--text`, in the same order; each leads to both runs' charts."""
    open_report(page, report, "#/compare")
    rows = page.run("[...document.querySelectorAll('.changes tbody tr')].map((it) => [...it.cells].map((cell) => cell.textContent))")
    told = [line.split() for line in text.splitlines()[4:] if line.strip()]
    assert len(rows) > 30 and len(told) > len(rows), (len(rows), len(told))
    for row, line in zip(rows, told):
        assert row[0] == line[0] and row[1].split()[0] == line[1], (row, line)
    page.click(".changes tbody a")
    page.wait("location.hash.startsWith('#/compare/') && document.querySelectorAll('.halves canvas').length >= 2", "a row opens nothing")
    return len(rows)


def main():
    folder, tachograph, target, *axe = sys.argv[1:]
    folder, target = pathlib.Path(folder), pathlib.Path(target)
    known = json.loads((folder / "known.json").read_text())
    against = ["--against", folder / "before.jsonl.gz"]
    one, two = write(tachograph, folder, "one.html"), write(tachograph, folder, "two.html", *against)
    command = [tachograph, "report", folder / "run.jsonl.gz", *against, "--text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    page = Browser()
    try:
        page.resize(1280, 900)
        samples = check_numbers(page, one, known)
        changes = check_comparison(page, two, text)
        views = {"report": "#/well", "report-one": f"#/series/{LATENCY}", "report-doctor": "#/doctor", "report-about": "#/about"}
        both = {"report-two": "#/compare", "report-two-one": f"#/compare/{LATENCY}"}
        shown, found = 0, []
        for report, hashes in ((one, views), (two, both)):
            open_report(page, report, "#/well")
            shown += pictures(page, target, hashes)
            if axe:
                found += serious(page, axe[0], hashes.values())
        assert not found, "\n".join(found)
        foreign = [it for it in page.asked if not it.startswith(("file:", "about:", "data:"))]
        assert not foreign, foreign
        assert not page.said, page.said
        size = one.stat().st_size // 1024
        print(f"{samples} samples in a file of {size} KiB, {changes} changes as --text has them, {shown} pictures, "
              f"axe-core: {'nothing serious' if axe else 'not there'}")
    finally:
        page.close()


if __name__ == "__main__":
    main()
