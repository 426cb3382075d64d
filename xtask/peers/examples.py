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


def families(page, promtool):
    """How many families the page has, all of them right."""
    text = page.read_text()
    if text.endswith("\n# EOF\n"):
        return len(list(text_string_to_metric_families(text)))
    command = [promtool, "check", "metrics"]
    told = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60)
    complaints = (told.stdout + told.stderr).strip()
    assert told.returncode == 0 and not complaints, f"{page.stem}: {complaints}"
    return text.count("# TYPE ")


def main():
    folder, promtool = sys.argv[1:]
    pages = sorted(Path(folder).glob("*.prom"))
    missing = WANTED - {page.stem for page in pages}
    assert not missing, f"no page of {missing}"
    count = sum(families(page, promtool) for page in pages)
    print(f"promtool has no complaint about {count} families on {len(pages)} pages")


if __name__ == "__main__":
    main()
