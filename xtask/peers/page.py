"""The page in a headless Chromium, before a real server: its numbers are those of `/snapshot` and
`/alerts` at the same version, every view is reached by mouse and by keys, it survives a restart, says nothing to the
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

from browser import Browser, pictures, serious, show, until

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


def compared(alert):
    """The words for an alert's value and its threshold; a dash stands for none."""
    value, threshold = alert["value_text"], alert["threshold_text"]
    return value if threshold == "–" else f"{'no value' if value == '–' else value}, limit {threshold}"


def check_alerts(page, server):
    """Each rule has the state, the value and the threshold that `/alerts` tells of the same snapshot,
    and the head of the page counts those that fire."""
    page.run("location.hash = '#/alerts'")
    page.wait("document.querySelector('[data-rule]') !== null", "no rule is shown")
    shown, told = {}, {}

    def same():
        rules = server.get("/alerts")
        told[rules["snapshot_version"]] = {
            rule["name"]: [alert["state"], compared(alert), "" if alert["state"] == "inactive" else alert["message"]]
            for rule in rules["rules"] for alert in rule["alerts"]}
        now = page.run("""({version: Number(document.querySelector("[data-alerts]").dataset.alerts),
            health: document.getElementById("health").textContent,
            rules: Object.fromEntries([...document.querySelectorAll("[data-rule]")].map((it) =>
                [it.dataset.rule, [it.dataset.state, it.cells[3].textContent, it.cells[5].textContent]]))})""")
        shown[now["version"]] = now
        return shown.keys() & told.keys()

    for _ in range(5):
        version = max(until(same, "the page never showed alerts of a snapshot that /alerts told", 60))
        assert shown[version]["rules"] == told[version], (version, shown[version], told[version])
        firing = sum(state == "firing" for state, *_ in told[version].values())
        assert firing == 0 or shown[version]["health"] == f"▲ {firing} firing", (firing, shown[version])
        goes_on(page)
    page.wait("document.querySelector('#banner .bad') !== null", "the page does not tell that an alert fires", 60)
    page.run("location.hash = '#/doctor'")
    page.wait("/events a second|above/.test(document.querySelector('.finding p')?.textContent)", "the doctor does not tell why an alert fires")
    # Both lead to the series that the alert is about.
    for link in ("[data-rule=ManyEvents] a", "#banner .bad a"):
        page.run("location.hash = '#/alerts'")
        page.wait(f"document.querySelector({json.dumps(link)}) !== null", f"{link} is not there")
        page.click(link)
        page.wait("/^#[/]series[/]event/.test(location.hash)", f"{link} does not open the alert's series")
    return told[version]


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
    count = page.run("document.querySelectorAll('details.as-table').length")
    assert count >= 3, count
    for i in range(count):
        # Only what is in sight is drawn.
        place = f"document.querySelectorAll('details.as-table')[{i}]"
        page.run(f"{place}.scrollIntoView(); {place}.open = true")
        page.wait(f"{place}.querySelectorAll('td').length > 1", f"chart {i} has no table")
        page.run(f"{place}.open = false")
    page.run("scrollTo(0, 0)")


def check_restart(page, program, server, port, folder):
    """The server is killed: what is shown is marked as old, and comes back by itself."""
    silent = len(page.said)
    show(page, "#/well")
    server.process.kill()
    server.process.wait(20)
    page.wait("document.getElementById('health').textContent.includes('disconnected')", "the page does not notice", 20)
    page.wait("document.body.classList.contains('is-stale')", "old data are not marked", 20)
    assert "Trying again" in page.run("document.getElementById('banner').textContent"), "the page does not tell when it tries again"
    pictures(page, folder, {"state-disconnected": "#/well"})
    again = Server(program, port, 0)
    page.wait("document.getElementById('health').dataset.state !== 'gone'", "the page does not come back", 40)
    goes_on(page)
    assert page.run("tachograph.store.fine.frames.some((it) => it.marks & 4)"), "the restart is not marked"
    pictures(page, folder, {"state-restarted": "#/well"})
    page.open("about:blank")
    page.open(f"{again.address}/#/series/never.recorded")
    page.wait("typeof tachograph === 'object' && tachograph.store.newest !== null", "no frame comes", 20)
    page.wait("document.querySelector('.one .empty')?.textContent.includes('There is no series')", "an unknown series is not told")
    pictures(page, folder, {"state-no-series": "#/series/never.recorded"})
    page.open(f"{again.address}/")
    # The browser itself tells of connections that nobody took.
    page.said[silent:] = [it for it in page.said[silent:] if "ERR_CONNECTION_REFUSED" not in it and "ERR_INCOMPLETE" not in it and "ERR_CONNECTION_RESET" not in it]
    return again


def says(page, text):
    """Waits until the page says this in place of its views."""
    page.wait(f"document.querySelector('.empty')?.textContent.includes({json.dumps(text)})", f"the page does not say: {text}", 30)


def check_before_frames(page, server, folder):
    """Before the first frame: while the server is slow to answer, and while it does not answer."""
    page.call("Fetch.enable", patterns=[{"urlPattern": "*/live"}])
    page.open(f"{server.address}/")
    says(page, "Waiting for the first frame")
    pictures(page, folder, {"state-loading": "#/well"})
    page.call("Fetch.disable")
    page.call("Network.setBlockedURLs", urls=["*/live"])
    page.open("about:blank")
    page.open(f"{server.address}/")
    says(page, "Trying again")
    pictures(page, folder, {"state-no-answer": "#/well"})
    page.call("Network.setBlockedURLs", urls=[])
    page.said.clear()


def check_idle(page, program, folder):
    """A program that records nothing has an overview that says so."""
    port = free_port()
    server = Server(program, port, 0, "idle")
    try:
        page.open(f"{server.address}/")
        says(page, "Nothing has been recorded yet")
        pictures(page, folder, {"state-nothing": "#/well"})
    finally:
        page.open("about:blank")
        server.stop()


def check_odd(page, program, folder):
    """Hostile names stay text, fit on every screen, and each leads to its series; no value breaks a view."""
    port = free_port()
    server = Server(program, port, 0, "odd")
    try:
        page.open(f"{server.address}/")
        page.wait("typeof tachograph === 'object' && tachograph.store?.byKey.has('odd.value')", "no frame comes", 30)
        goes_on(page)
        keys = page.run("[...tachograph.store.byKey.keys()].filter((it) => !/^(telemetry|metrics)[.]/.test(it))")
        for key in keys:
            show(page, page.run(f"tachograph.linkTo({json.dumps(key)})"))
            assert page.run("document.querySelector('.one h2').textContent") == key
            text = page.run("document.querySelector('main').textContent")
            assert not any(wrong in text for wrong in ("NaN", "Infinity", "undefined", "null", "[object")), (key, text)
            wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, (key, wide)
        assert page.run("document.querySelector('img') === null"), "a name has become an element"
        odd = {"odd-well": "#/well", "odd-series": "#/series", "odd-one": page.run("tachograph.linkTo('🔥.temperature took')")}
        pictures(page, folder, odd)
        return len(keys)
    finally:
        page.open("about:blank")
        server.stop()


def check_report(page, server, folder):
    """The button saves the page with what it shows: it opens from disk, with the same alerts."""
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
    page.click("#save")
    saved = until(lambda: list(folder.glob("example-*.html")), "nothing is saved", 30)[0]
    told = server.get("/alerts")
    page.open("about:blank")
    page.open(saved.as_uri())
    page.wait("typeof tachograph === 'object' && tachograph.view !== null", "the report shows nothing", 30)
    rules = page.run("tachograph.alerts.rules.map((it) => it.name)")
    assert rules == [it["name"] for it in told["rules"]], rules
    assert page.run("document.querySelector('.well').textContent.includes('what happened')"), "it does not tell what happened"
    frames = page.run("tachograph.store.fine.frames.length")
    assert frames > 5, frames
    pictures(page, folder, {"saved": "#/well", "saved-alerts": "#/alerts"})
    saved.unlink()
    page.open("about:blank")
    page.open(f"{server.address}/")
    page.wait("typeof tachograph === 'object' && document.querySelector('.tile') !== null", "nothing is shown", 30)
    return frames


def scripting(page):
    """Milliseconds that the page has spent in scripts, by its thread's processor time."""
    told = {it["name"]: it["value"] for it in page.call("Performance.getMetrics")["metrics"]}
    return told["ScriptDuration"] * 1e3


def cost(page, program, series):
    """What the page costs with so many series: milliseconds of processor time for scripting, a frame;
    bytes of a frame; milliseconds to the first paint; bytes of the page's files."""
    port = free_port()
    server = Server(program, port, series)
    try:
        page.open(f"{server.address}/#/well")
        page.wait("typeof tachograph === 'object' && tachograph.store.newest !== null", "no frame comes", 120)
        page.wait(f"tachograph.store.series.length >= {series}", "series are missing", 120)
        goes_on(page)
        page.call("Performance.disable")
        page.call("Performance.enable", timeDomain="threadTicks")
        before, first = scripting(page), page.run("tachograph.store.fine.next")
        # The page itself waits: each question from here would count as scripting too.
        count = page.run(f"""new Promise((ok) => {{
            const look = () => tachograph.store.fine.next >= {first} + 8 ? ok(tachograph.store.fine.next - {first}) : setTimeout(look, 500);
            look();
        }})""")
        script = (scripting(page) - before) / count
        paint = page.run("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
        files = page.run("""performance.getEntriesByType("resource").filter((it) => it.name.includes("/page/"))
            .concat(performance.getEntriesByType("navigation")).reduce((sum, it) => sum + it.encodedBodySize, 0)""")
        return {"ms of scripting": round(script, 1), "bytes of a frame": frame_bytes(server), "ms to first paint": paint and round(paint), "bytes of the page": files}
    finally:
        page.open("about:blank")
        server.stop()


def frame_bytes(server, frames=5):
    """The bytes that a listener is sent for a frame, which is a second."""
    with urllib.request.urlopen(f"{server.address}/live?since=0", timeout=120) as answer:
        sizes, event = [], b""
        # The first one may hold everything since the start.
        while len(sizes) <= frames:
            line = answer.readline()
            event += line
            if line == b"\n":
                if b"event: frame" in event or b"event:frame" in event:
                    sizes.append(len(event))
                event = b""
    return round(sum(sizes[1:]) / frames)


def main():
    program, target, *axe = sys.argv[1:]
    folder = pathlib.Path(target).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server, page = Server(program, port, 0), Browser()
    try:
        page.resize(1280, 900)
        check_before_frames(page, server, folder)
        page.open(f"{server.address}/")
        page.wait("typeof tachograph === 'object' && document.querySelector('.tile') !== null", "nothing is shown", 30)
        version = check_headlines(page, server)
        states = check_alerts(page, server)
        check_mouse(page)
        check_keys(page)
        check_tables(page)
        hashes = {view: f"#/{view}" for view in VIEWS} | {"one": "#/series/event.processing.duration"}
        shown = pictures(page, folder, hashes)
        found = serious(page, axe[0], hashes.values()) if axe else []
        assert not found, "\n".join(found)
        frames = check_report(page, server, folder)
        server = check_restart(page, program, server, port, folder)
        check_idle(page, program, folder)
        odd = check_odd(page, program, folder)
        costs = {series: cost(page, program, series) for series in (10, 1_000, 10_000)}
        foreign = [it for it in page.asked if not it.startswith(("http://127.0.0.1:", "about:", "data:", "file:"))]
        assert not foreign, foreign
        assert not page.said, page.said
        print(f"snapshot {version} equals /snapshot, {len(states)} rules equal /alerts, {shown} pictures, "
              f"a report of {frames} frames saved and opened, {odd} odd series shown, "
              f"axe-core: {'nothing serious' if axe else 'not there'}, by series: {costs}")
    finally:
        page.close()
        server.stop()


if __name__ == "__main__":
    main()
