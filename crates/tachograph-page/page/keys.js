// The keyboard: single keys without a modifier, and never while the user is typing.

const VIEW_KEYS = { w: "well", s: "series", a: "alerts", d: "doctor", i: "about" };
const RANGE_KEYS = { 1: "1m", 2: "10m", 3: "30m", 4: "2h" };
const WAIT_MS = 1_500;

export class Keys {
  constructor(app, { toggleTheme, help, dialog }) {
    Object.assign(this, { app, toggleTheme, help, dialog });
    this.goSince = -Infinity;
    document.addEventListener("keydown", (event) => this.press(event));
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.matches("input, textarea, select") || this.dialog.open) return;
    if (this.handle(event)) event.preventDefault();
  }

  handle(event) {
    const { app } = this;
    const { key } = event;
    if (event.timeStamp - this.goSince < WAIT_MS && VIEW_KEYS[key]) {
      this.goSince = -Infinity;
      app.change({ view: VIEW_KEYS[key], key: null });
      return true;
    }
    this.goSince = key === "g" ? event.timeStamp : -Infinity;
    if (RANGE_KEYS[key]) app.setRange(RANGE_KEYS[key]);
    // If a button has the focus, space presses it.
    else if (key === " " && !event.target.matches("button, summary, a")) app.togglePause();
    else if (key === "t") this.toggleTheme();
    else if (key === "?") this.help();
    else if (key === "Escape") app.back();
    else if (key === "/") this.search();
    else return key === "g";
    return true;
  }

  search() {
    const find = () => document.querySelector("input.search");
    if (!find()) this.app.change({ view: "series", key: null });
    // After this key, which is not part of the text.
    setTimeout(() => find()?.focus());
  }
}
