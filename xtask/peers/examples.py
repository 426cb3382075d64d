"""Lets promtool read the page of each example, and of each program in the documents.

promtool does not check OpenMetrics: prometheus-client's strict parser reads those.

Usage: examples.py FOLDER PROMTOOL   (the folder in which the tests have left the pages)
"""

import subprocess
import sys
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

# The examples that have a page, and the guides whose programs are whole files.
WANTED = {"audio", "axum_server", "busy_poll", "library", "mio_echo", "tokio_server"}
WANTED |= {"prometheus", "prometheus_client", "readme_1"}


def complaints(text, promtool):
    """What is wrong with a page; nothing if it is right."""
    if text.endswith("\n# EOF\n"):
        try:
            list(text_string_to_metric_families(text))
        except ValueError as error:
            return str(error)
        return ""
    command = [promtool, "check", "metrics"]
    told = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    return (told.stdout + told.stderr).strip() or "failed" * (told.returncode != 0)


def families(page, promtool):
    """How many families the page has, all of them right."""
    text = page.read_text()
    found = complaints(text, promtool)
    assert not found, f"{page.stem}: {found}"
    return text.count("# TYPE ")


def spoiled(text):
    """The page with one mistake each: a kind told late, a value that is none, a label without quotes."""
    lines = text.splitlines(keepends=True)
    sample = next(i for i, line in enumerate(lines) if not line.startswith("#"))
    name = lines[sample].split()[0].split("{")[0]
    for line in (f"# TYPE {name} amount\n", f"{name} many\n", f'{name}{{a=b}} 1\n'):
        yield "".join([*lines[:sample], line, *lines[sample:]])


def main():
    folder, promtool = sys.argv[1:]
    pages = sorted(Path(folder).glob("*.prom"))
    missing = WANTED - {page.stem for page in pages}
    assert not missing, f"no page of {missing}"
    count = sum(families(page, promtool) for page in pages)
    # A judge that takes everything would take mistakes too: one page of each form.
    texts = [page.read_text() for page in pages]
    for right in {text.endswith("# EOF\n"): text for text in texts}.values():
        for wrong in spoiled(right):
            assert complaints(wrong, promtool), f"nobody complains about {wrong}"
    print(f"promtool has no complaint about {count} families on {len(pages)} pages")


if __name__ == "__main__":
    main()
