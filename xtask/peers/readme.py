"""Takes the pictures of README.md and of the crates' documentation anew, from the real programs.

    readme.py AST_SERVER TACHOGRAPH

Runs the demo with trouble, and one without beside it, for two minutes. Needs Chromium, tmux, and
besides requirements.txt Pillow, which makes the files small. rustdoc copies no files: what the
documentation shows is a data URI in a fragment of Markdown, which the crate includes.
"""

import base64
import html
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from PIL import Image

from browser import Browser, show, until
from page import Server, free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
FRAGMENTS = {"page": ["tachograph-page", "tachograph-serve"], "terminal": ["tachograph-cli"]}
WIDTH = 1200
TMUX = ["tmux", "-L", f"readme-{os.getpid()}", "-f", "/dev/null"]
COLUMNS, ROWS = 88, 30


class Demo(Server):
    """A demo that keeps running and records."""

    def __init__(self, program, folder, name, *more):
        self.file = folder / f"{name}.jsonl.gz"
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        command = [program, "demo", "--keep-running", "--record", self.file, "--http", f"127.0.0.1:{port}", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: self.get("/-/ready", None) is not None, "the demo is not ready", 60)

    def wait(self, state, seconds):
        """Waits until HighLatency has reached a state, as its history tells."""
        changed = lambda: any(it["rule"] == "HighLatency" and it["to"] == state for it in self.get("/alerts")["changes"])
        until(changed, f"HighLatency is not {state}", seconds)


def tmux(*command):
    return subprocess.run([*TMUX, *command], capture_output=True, text=True, check=True).stdout


def colour(number):
    """A colour of the palette of 256 that terminals have."""
    if number < 16:
        basic = "000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5 666666 f14c4c 23d18b f5f543 3b8eea d670d6 29b8db ffffff"
        return "#" + basic.split()[number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    number -= 16
    return "#" + "".join(f"{level and 55 + 40 * level:02x}" for level in (number // 36, number // 6 % 6, number % 6))


def style_of(codes, style):
    """The style after a sequence that selects graphics."""
    codes = iter(int(it or 0) for it in codes.split(";"))
    for code in codes:
        if code == 0:
            style = {}
        elif code in (38, 48):
            assert next(codes) == 5, "tmux tells colours of the palette"
            style = style | {"color" if code == 38 else "background": colour(next(codes))}
        elif code in (39, 49):
            style = {key: it for key, it in style.items() if key != ("color" if code == 39 else "background")}
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = style | {"color": colour(code - 30 if code < 90 else code - 82)}
        else:
            style = style | {1: {"font-weight": "bold"}, 2: {"opacity": "0.6"}, 4: {"text-decoration": "underline"}}.get(code, {})
            if code == 7:
                style = style | {"color": "#101418", "background": "#d6dde4"}
    return style


def drawn(screen):
    """A screen as `tmux capture-pane -e` writes it, as HTML."""
    lines, style = [], {}
    for line in screen.rstrip("\n").split("\n"):
        cells = []
        # A text, then the codes and the text of each sequence.
        text, *others = re.split(r"\x1b\[([\d;]*)m", line)
        for codes, text in [(None, text), *zip(others[::2], others[1::2])]:
            style = style if codes is None else style_of(codes, style)
            css = ";".join(f"{key}:{it}" for key, it in style.items())
            cells.append(f'<span style="{css}">{html.escape(text)}</span>' if text else "")
        lines.append("".join(cells))
    # The font's blocks are as high as this line.
    css = "margin:0;padding:10px 12px;width:max-content;background:#101418;color:#d6dde4;font:15px/17.46px 'DejaVu Sans Mono'"
    return f'<!doctype html><meta charset="utf-8"><body style="margin:0"><pre style="{css}">' + "\n".join(lines) + "</pre>"


def small(data):
    """The same picture in a palette, whose file is much smaller."""
    picture = Image.open(io.BytesIO(data)).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def keep(page, name, alt, width, height):
    """Keeps the upper left of what the browser shows, in README's folder and as fragments."""
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    data = small(base64.b64decode(page.call("Page.captureScreenshot", format="png", clip=clip)["data"]))
    (ROOT / f"docs/pictures/{name}.png").write_bytes(data)
    for crate in FRAGMENTS.get(name, []):
        uri = "data:image/png;base64," + base64.b64encode(data).decode()
        fragment = ROOT / f"crates/{crate}/doc/{name}.md"
        fragment.parent.mkdir(exist_ok=True)
        fragment.write_text(f"![{alt}]({uri})\n")
    print(f"{name}: {width} × {height}, {len(data) / 1024:.0f} KiB")


def keep_view(page, name, alt, hash_, height):
    page.resize(WIDTH, height)
    show(page, hash_)
    page.run("new Promise((ok) => setTimeout(ok, 1500))")
    keep(page, name, alt, WIDTH, height)


def keep_terminal(page, folder):
    file = folder / "terminal.html"
    file.write_text(drawn(tmux("capture-pane", "-e", "-p", "-t", "it")))
    page.open(file.as_uri())
    page.wait("document.querySelector('pre') !== null", "the terminal is not drawn")
    width, height = page.run("(({width, height}) => [width, height])(document.querySelector('pre').getBoundingClientRect())")
    keep(page, "terminal", "`tachograph top`: health, the busiest series, the latency over time as a heat map", round(width), round(height))


def main():
    program, tachograph = (pathlib.Path(it).resolve() for it in sys.argv[1:3])
    folder = tempfile.TemporaryDirectory()
    files = pathlib.Path(folder.name)
    calm, troubled = Demo(program, files, "calm"), Demo(program, files, "troubled", "--trouble", "latency")
    page = Browser()
    try:
        page.resize(WIDTH, 900)
        page.scheme("light")
        tmux("new-session", "-d", "-s", "it", "-x", str(COLUMNS), "-y", str(ROWS),
             f"COLORTERM=truecolor {tachograph} top {troubled.address.removeprefix('http://')}")
        troubled.wait("firing", 90)
        page.open(f"{troubled.address}/")
        page.wait("typeof tachograph === 'object' && document.querySelector('#banner .bad') !== null", "no alert is shown", 60)
        page.run("new Promise((ok) => setTimeout(ok, 20000))")
        keep_view(page, "page", "The page: headlines, quantiles over time, all series, the worst samples", "#/well", 900)
        keep_terminal(page, files)
        troubled.wait("inactive", 120)
        page.open(f"{troubled.address}/")
        page.wait("typeof tachograph === 'object' && tachograph.store.newest !== null", "no frame comes", 60)
        keep_view(page, "series", "One series: its distribution over time, its percentiles, its worst samples", "#/series/event.processing.duration", 1160)
        for it in (calm, troubled):
            it.stop()
        report = files / "report.html"
        subprocess.run([tachograph, "report", troubled.file, "--against", calm.file, "-o", report], check=True, capture_output=True)
        page.open(report.as_uri())
        page.wait("typeof tachograph === 'object' && tachograph.view !== null", "the report shows nothing", 30)
        keep_view(page, "two-runs", "A series of two runs: percentiles, quantiles and rates, before and after", "#/compare/event.processing.duration", 780)
    finally:
        page.close()
        subprocess.run([*TMUX, "kill-server"], capture_output=True)
        calm.process.kill()
        troubled.process.kill()


if __name__ == "__main__":
    main()
