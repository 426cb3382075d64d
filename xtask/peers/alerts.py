"""Alert rules: `promtool test rules` finds the states that our engine finds, minute by minute.

Usage: alerts.py FOLDER PROMTOOL
"""

import pathlib
import subprocess
import sys

folder, promtool = pathlib.Path(sys.argv[1]), sys.argv[2]


def judge(test):
    command = [promtool, "test", "rules", test]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


right = judge("test.yml")
if right.returncode != 0:
    sys.exit(right.stdout[-4000:] + right.stderr[-4000:])

# A state that is wrong is noticed, or nothing was compared.
text = (folder / "test.yml").read_text()
for was, becomes in [('exp_labels: {n: "0"}', 'exp_labels: {n: "9"}'), ("value: 1}", "value: 2}")]:
    (folder / "wrong.yml").write_text(text.replace(was, becomes, 1))
    if judge("wrong.yml").returncode == 0:
        sys.exit(f"promtool did not notice that `{was}` became `{becomes}`")

firing, pending = text.count("exp_labels"), text.count("value: 1}")
print(f"{text.count('alertname: ')} states of rules: {firing} firing, {pending} pending, as promtool")
