"""A headless Chromium, driven over its DevTools protocol."""

import base64
import json
import pathlib
import subprocess
import tempfile
import time

from websockets.sync.client import connect

KEYS = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, " ": 32}


class Browser:
    """One browser with one page; everything that it says and asks for is kept."""

    def __init__(self, program="chromium"):
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        profile = pathlib.Path(self.folder.name)
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions",
             "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
             "--remote-debugging-port=0", f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port_file = profile / "DevToolsActivePort"
        until(lambda: port_file.exists() and len(port_file.read_text().split()) == 2, "Chromium does not start", 60)
        port, path = port_file.read_text().split()
        self.socket = connect(f"ws://127.0.0.1:{port}{path}", max_size=None, open_timeout=30, ping_interval=None)
        self.last = 0
        self.session = None
        self.said, self.asked = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.last += 1
        message = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv(timeout=60))
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.note(answer)

    def note(self, event):
        method, told = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(it.get("value", it.get("description"))) for it in told["args"]))
        elif method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.said.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded":
            self.said.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.asked.append(told["request"]["url"])

    def run(self, script):
        """The value of an expression in the page; promises are awaited."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    def wait(self, script, what, seconds=20):
        return until(lambda: self.run(script), what, seconds)

    def open(self, address):
        self.call("Page.navigate", url=address)

    def press(self, key, shift=False):
        text = "\r" if key == "Enter" else key if len(key) == 1 else ""
        code = KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        told = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **told)
        self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    def place(self, selector):
        """The middle of an element, scrolled into sight."""
        found = self.run(f"""(() => {{
            const element = document.querySelector({json.dumps(selector)});
            if (!element) return null;
            element.scrollIntoView({{block: "center"}});
            const box = element.getBoundingClientRect();
            return [box.x, box.y, box.width, box.height];
        }})()""")
        if found is None:
            raise AssertionError(f"there is no {selector}")
        return found

    def mouse(self, kind, x, y):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def click(self, selector):
        x, y, width, height = self.place(selector)
        self.mouse("mousePressed", x + width / 2, y + height / 2)
        self.mouse("mouseReleased", x + width / 2, y + height / 2)

    def drag(self, selector, begin, end):
        """Drags over an element, between two shares of its width."""
        x, y, width, height = self.place(selector)
        self.mouse("mouseMoved", x + begin * width, y + height / 2)
        self.mouse("mousePressed", x + begin * width, y + height / 2)
        self.mouse("mouseMoved", x + (begin + end) / 2 * width, y + height / 2)
        self.mouse("mouseMoved", x + end * width, y + height / 2)
        self.mouse("mouseReleased", x + end * width, y + height / 2)

    def resize(self, width, height, scale=1):
        self.size = (width, height, scale)
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=False)

    def scheme(self, name):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def picture(self, path):
        """A picture of the whole page. The window grows to its height, because only what is in sight is drawn."""
        whole = self.run("document.documentElement.scrollHeight")
        width, height, scale = self.size
        self.resize(width, max(height, whole), scale)
        self.run("new Promise((ok) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(ok)), 100))")
        data = self.call("Page.captureScreenshot", format="png")["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(data))
        self.resize(width, height, scale)

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(20)


def until(check, what, seconds):
    """Waits until a check gives something; fails with `what` when that takes too long."""
    end = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} within {seconds} s")
        time.sleep(0.05)


SCHEMES = {"light": (1280, 900, 1), "dark": (1280, 900, 1), "phone": (390, 844, 2)}


def choose(page, scheme):
    """Light or dark as the system prefers it: what was switched by hand is forgotten."""
    page.run("localStorage.clear(); delete document.documentElement.dataset.theme")
    page.scheme("light" if scheme == "dark" else "dark")
    page.scheme(scheme)
    dark = page.run("getComputedStyle(document.documentElement).getPropertyValue('--is-dark')")
    assert (dark == "1") == (scheme == "dark"), scheme


def show(page, hash_):
    """Opens a view, and waits until it is drawn in the present size and theme."""
    page.run(f"""new Promise((ok) => {{
        if (location.hash === {json.dumps(hash_)}) return ok();
        addEventListener("hashchange", () => ok(), {{ once: true }});
        return location.assign({json.dumps(hash_)});
    }})""")
    page.run("new Promise((ok) => { tachograph.draw(); requestAnimationFrame(() => requestAnimationFrame(ok)); })")


def pictures(page, folder, hashes):
    """A picture of each view: light, dark, and of the size of a phone. None may be too wide."""
    folder.mkdir(parents=True, exist_ok=True)
    for scheme, (width, height, scale) in SCHEMES.items():
        page.resize(width, height, scale)
        choose(page, "dark" if scheme == "dark" else "light")
        for name, hash_ in hashes.items():
            show(page, hash_)
            wide = page.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} pixels too wide for {scheme}"
            page.picture(folder / f"{name}-{scheme}.png")
    choose(page, "light")
    page.resize(1280, 900)
    return len(hashes) * len(SCHEMES)


def serious(page, axe, hashes):
    """What axe-core finds serious, in any view and theme."""
    # As one of the page's own tools, its policy does not concern it.
    page.run(pathlib.Path(axe).read_text() + "; 0")
    found = []
    for scheme in ("light", "dark"):
        choose(page, scheme)
        for hash_ in hashes:
            show(page, hash_)
            found += page.run("""axe.run().then((told) => told.violations
                .filter((it) => ["serious", "critical"].includes(it.impact))
                .map((it) => `${location.hash}: ${it.id}: ${it.nodes.map((node) => node.html).slice(0, 3).join(" ")}`))""")
    choose(page, "light")
    return found
