"""Lets promtool judge what `ast-server deploy` writes: the configuration, the rules, their tests.

Then makes some alerts wrong: their tests must notice.

Usage: deploy.py SERVER PROMTOOL
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

PATIENCE = 240
RULES = ["ast-server.rules.yml", "ast-server.alerts.yml"]
TESTS = "ast-server.tests.yml"


def run(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


def good(folder, *command):
    code, told = run(folder, *command)
    assert code == 0, f"{command}: {told}"
    return told


def check(server, promtool, folder, *arguments):
    """One deployment."""
    good(".", server, "deploy", folder, *arguments)
    told = good(folder, promtool, "check", "config", "prometheus.yml")
    good(folder, promtool, "check", "rules", *RULES)
    good(folder, promtool, "test", "rules", TESTS)
    return sum(int(count) for count in re.findall(r"SUCCESS: (\d+) rules found", told))


def seeded(promtool, folder):
    """Alerts that are wrong in one place each; the tests must fail on every one."""
    alerts = folder / "ast-server.alerts.yml"
    text = alerts.read_text()
    wrong = {
        "AstServerSlow": ("> 0.1", "> 0.2"),
        "AstServerPacketLoss": ("> 100", "> 130"),
        "AstServerErrors": ("> 10", "> 5"),
        "AstServerAggregatorStalled": ("increase(", "-1 + increase("),
    }
    changed = text
    for name, (right, other) in wrong.items():
        before, found, after = changed.partition(f"alert: {name}\n")
        assert found and right in after, name
        changed = before + found + after.replace(right, other, 1)
    alerts.write_text(changed)
    code, told = run(folder, promtool, "test", "rules", TESTS)
    alerts.write_text(text)
    assert code != 0, "promtool's tests pass on wrong alerts"
    missed = [name for name in wrong if f"alertname:{name}" not in told.replace(" ", "")]
    assert not missed, f"no test noticed that these are wrong: {missed}\n{told}"
    return len(wrong)


def main():
    server, promtool = (Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        rules = check(server, promtool, folder / "usual")
        token = folder / "token"
        token.write_text("secret\n")
        check(
            server, promtool, folder / "fast",
            "--scrape-interval=1s", "--target=127.0.0.1:1", "--target=[::1]:2",
            "--alertmanager=127.0.0.1:3", f"--metrics-token-file={token}",
        )
        wrong = seeded(promtool, folder / "usual")
    print(f"promtool agrees with {rules} rules, at two intervals, and notices {wrong} wrong ones")


if __name__ == "__main__":
    main()
