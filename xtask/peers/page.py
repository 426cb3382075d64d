"""The page in a headless Chromium, before a real server: its numbers are those of `/snapshot` and
`/alerts`, every view is reached by mouse and by keys, it survives a restart, says nothing to the
console and asks nobody else.

    page.py ENDPOINT PICTURES [AXE]

ENDPOINT is the example `page` of tachograph-serve; pictures of each view are left in the folder
PICTURES. AXE is the script of axe-core.
"""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import urllib.request

from browser import Browser, until

VIEWS = {"well": "w", "series": "s", "alerts": "a", "doctor": "d", "about": "i"}


class Server:
    """The program under test, at a port of its own, with so many series beside its usual ones."""

    def __init__(self, program, port, series, *more):
        self.address = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen([program, str(port), str(series), *more], stdout=subprocess.DEVNULL)
        until(lambda: self.get("/-/ready", None) is not None, "the server is not ready", 30)

    def get(self, path, default=AssertionError):
        try:
            with urllib.request.urlopen(self.address + path, timeout=10) as answer:
                return json.load(answer)
        except OSError:
            if default is AssertionError:
                raise
            return default

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def goes_on(page):
    """Waits for two frames more."""
    version = int(page.run("document.body.dataset.version || 0"))
    page.wait(f"Number(document.body.dataset.version) > {version + 1}", "no new frame is shown")


def check_headlines(page, server):
    """The latency's quantiles equal those of the very snapshot that is shown; those of `/summary`,
    which is always of a snapshot of its own, are near."""
    tile = "document.querySelector('[data-tile=\"latency p99\"]')"
    page.wait(f"{tile} !== null", "there is no headline", 30)
    shown, told = {}, {}

    def same():
        # Both sides of many snapshots, until there is one that is known from both.
        snapshot = server.get("/snapshot")
        series = {it["key"]: it["value"] for it in snapshot["series"]}
        told[snapshot["version"]] = series["event.processing.duration"]["timing"]["window"]
        now = page.run(f"({{version: Number(document.body.dataset.version), ...{tile}.dataset}})")
        shown[now["version"]] = now
        return shown.keys() & told.keys()

    version = max(until(same, "the page never showed a snapshot that /snapshot told", 60))
    for name in ("p50", "p95", "p99"):
        assert float(shown[version][name]) == told[version][name], (name, shown[version], told[version])
    latency = server.get("/summary")["event_processing"]["latency_ms"]
    assert abs(latency["p50"] / 1e3 / told[version]["p50"] - 1) < 0.1, (latency, told[version])
    return version


def check_alerts(page, server):
    """Each rule is shown in the state that `/alerts` tells."""
    page.run("location.hash = '#/alerts'")
    page.wait("document.querySelector('[data-rule]') !== null", "no rule is shown")
    shown = "Object.fromEntries([...document.querySelectorAll('[data-rule]')].map((it) => [it.dataset.rule, it.dataset.state]))"

    def same():
        told = {rule["name"]: alert["state"] for rule in server.get("/alerts")["rules"] for alert in rule["alerts"]}
        return told == page.run(shown) and told

    return until(same, "the page shows other states than /alerts", 20)


def check_mouse(page):
    for view in VIEWS:
        page.click(f"nav a[data-view={view}]")
        page.wait(f"location.hash.startsWith('#/{view}') && document.querySelector('main').children.length > 0", f"{view} does not open")
    page.click("nav a[data-view=series]")
    page.wait("document.querySelector('.space .row') !== null", "no rows")
    page.click(".space .row .key-text")
    page.wait("location.hash.startsWith('#/series/') && document.querySelector('.one canvas') !== null", "no series opens")
    page.drag(".one .canvas canvas", 0.6, 0.8)
    page.wait("/from=\\d+/.test(location.hash)", "dragging selects no range")
    page.click("#pause")
    page.wait("!/from=/.test(location.hash)", "live does not go on")
    for range_ in (1, 3, 2):
        page.click(f"#ranges button:nth-child({range_})")
        page.wait(f"document.querySelector('#ranges button:nth-child({range_})').ariaPressed === 'true'", "the range does not change")
    page.click("#theme")
    first = page.run("document.documentElement.dataset.theme")
    page.click("#theme")
    assert first != page.run("document.documentElement.dataset.theme")
    page.click("#help")
    page.wait("document.querySelector('dialog').open", "no help")
    page.press("Escape")
    page.wait("!document.querySelector('dialog').open", "the help does not close")


def check_keys(page):
    for view, key in VIEWS.items():
        page.press("g")
        page.press(key)
        page.wait(f"location.hash.startsWith('#/{view}')", f"g {key} does not open {view}")
    page.press("g")
    page.press("s")
    page.press("/")
    page.wait("document.activeElement.matches('input.search')", "/ does not search")
    for letter in "duration":
        page.press(letter)
    page.wait("[...document.querySelectorAll('.space .row')].every((it) => it.textContent.includes('duration') || it.classList.contains('child'))", "nothing is found")
    page.press("Enter")
    page.wait("document.activeElement.matches('.grid')", "enter does not leave the search")
    page.press("ArrowRight")
    page.press("ArrowDown")
    page.press("Enter")
    page.wait("location.hash.startsWith('#/series/')", "enter opens nothing")
    page.wait("document.querySelector('.one canvas') !== null", "no charts")
    page.run("document.querySelector('.one .canvas canvas').focus()")
    for _ in range(6):
        page.press("ArrowLeft", shift=True)
    assert page.run("!document.querySelector('.tip').hidden"), "the crosshair tells nothing"
    page.press("Enter")
    page.wait("/from=\\d+/.test(location.hash)", "keys select no range")
    page.press("Escape")
    page.wait("!/from=/.test(location.hash)", "esc does not go back")
    page.run("document.activeElement.blur()")
    page.press(" ")
    page.wait("/from=\\d+/.test(location.hash)", "space does not pause")
    page.press(" ")
    page.wait("!/from=/.test(location.hash)", "space does not go on")
    page.run("history.replaceState(null, '', '#/well'); dispatchEvent(new HashChangeEvent('hashchange'))")
    # Every control is reached by tab, and the focus goes round.
    page.run("document.activeElement.blur()")
    reached = set()
    for _ in range(120):
        page.press("Tab")
        reached.add(page.run("document.activeElement.id || document.activeElement.className || document.activeElement.tagName"))
    for wanted in ("skip", "pause", "theme", "help", "search", "grid"):
        assert wanted in reached, f"tab does not reach {wanted}: {reached}"


def check_tables(page):
    """Each chart has a table that says the same in words."""
    page.run("document.querySelectorAll('details.as-table').forEach((it) => { it.open = true; })")
    page.wait("[...document.querySelectorAll('details.as-table')].every((it) => it.querySelectorAll('td').length > 1)", "a chart has no table")


def choose(page, scheme):
    """Light or dark as the system prefers it: what was switched by hand is forgotten."""
    page.run("localStorage.clear(); delete document.documentElement.dataset.theme")
    page.scheme("light" if scheme == "dark" else "dark")
    page.scheme(scheme)
    dark = page.run("getComputedStyle(document.documentElement).getPropertyValue('--is-dark')")
    assert (dark == "1") == (scheme == "dark"), scheme


def take_pictures(page, folder):
    folder.mkdir(parents=True, exist_ok=True)
    hashes = {view: f"#/{view}" for view in VIEWS} | {"one": "#/series/event.processing.duration"}
    for scheme, (width, height, scale) in {"light": (1280, 900, 1), "dark": (1280, 900, 1), "phone": (390, 844, 2)}.items():
        page.resize(width, height, scale)
        choose(page, "dark" if scheme == "dark" else "light")
        for name, hash_ in hashes.items():
            page.run(f"location.hash = {json.dumps(hash_)}")
            goes_on(page)
            wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} pixels too wide for {scheme}"
            page.picture(folder / f"{name}-{scheme}.png")
    choose(page, "light")
    page.resize(1280, 900)
    return len(hashes) * 3


def check_axe(page, script):
    """axe-core finds nothing serious in any view and theme."""
    page.run(pathlib.Path(script).read_text() + "; 0")
    found = []
    for scheme in ("light", "dark"):
        choose(page, scheme)
        for hash_ in [f"#/{view}" for view in VIEWS] + ["#/series/event.processing.duration"]:
            page.run(f"location.hash = {json.dumps(hash_)}")
            goes_on(page)
            found += page.run("""axe.run().then((told) => told.violations
                .filter((it) => ["serious", "critical"].includes(it.impact))
                .map((it) => `${location.hash}: ${it.id}: ${it.nodes.map((node) => node.html).slice(0, 3).join(" ")}`))""")
    choose(page, "light")
    assert not found, "\n".join(found)


def check_restart(page, program, server, port):
    """The server is killed: what is shown is marked as old, and comes back by itself."""
    silent = len(page.said)
    server.process.kill()
    server.process.wait(20)
    page.wait("document.getElementById('health').textContent.includes('disconnected')", "the page does not notice", 20)
    page.wait("document.body.classList.contains('is-stale')", "old data are not marked", 20)
    again = Server(program, port, 0)
    page.wait("document.getElementById('health').dataset.state !== 'gone'", "the page does not come back", 40)
    goes_on(page)
    assert page.run("tachograph.store.fine.frames.some((it) => it.marks & 4)"), "the restart is not marked"
    # The browser itself tells of connections that nobody took.
    page.said[silent:] = [it for it in page.said[silent:] if "ERR_CONNECTION_REFUSED" not in it and "ERR_INCOMPLETE" not in it and "ERR_CONNECTION_RESET" not in it]
    return again


def scripting(page):
    """Milliseconds that the page has spent in scripts, by its thread's processor time."""
    told = {it["name"]: it["value"] for it in page.call("Performance.getMetrics")["metrics"]}
    return told["ScriptDuration"] * 1e3


def cost(page, program, series):
    """Milliseconds of the page's processor time for scripting, a frame, with so many series."""
    port = free_port()
    server = Server(program, port, series)
    try:
        page.open(f"{server.address}/#/well")
        page.wait("typeof tachograph === 'object' && tachograph.store.newest !== null", "no frame comes", 60)
        page.wait(f"tachograph.store.series.length >= {series}", "series are missing", 60)
        goes_on(page)
        page.call("Performance.disable")
        page.call("Performance.enable", timeDomain="threadTicks")
        before, version = scripting(page), page.run("tachograph.store.fine.next")
        page.wait(f"tachograph.store.fine.next >= {version} + 8", "no frames come", 60)
        return (scripting(page) - before) / (page.run("tachograph.store.fine.next") - version)
    finally:
        page.open("about:blank")
        server.stop()


def main():
    program, pictures, *axe = sys.argv[1:]
    port = free_port()
    server, page = Server(program, port, 0), Browser()
    try:
        page.resize(1280, 900)
        page.open(f"{server.address}/")
        page.wait("typeof tachograph === 'object' && document.querySelector('.tile') !== null", "nothing is shown", 30)
        version = check_headlines(page, server)
        states = check_alerts(page, server) if "/alerts" in server.get("/page/paths.json") else {}
        check_mouse(page)
        check_keys(page)
        check_tables(page)
        shown = take_pictures(page, pathlib.Path(pictures))
        if axe:
            check_axe(page, axe[0])
        server = check_restart(page, program, server, port)
        costs = {series: round(cost(page, program, series), 1) for series in (10, 1_000)}
        foreign = [it for it in page.asked if not it.startswith(("http://127.0.0.1:", "about:", "data:"))]
        assert not foreign, foreign
        assert not page.said, page.said
        print(f"snapshot {version} equals /snapshot, {len(states)} rules equal /alerts, {shown} pictures, "
              f"axe-core: {'nothing serious' if axe else 'not there'}, ms of scripting by series: {costs}")
    finally:
        page.close()
        server.stop()


if __name__ == "__main__":
    main()
