// The application: receives frames, and draws the open view once per frame.

import { Plan } from "./curves.js";
import { attribute, h, say } from "./dom.js";
import { clock, duration } from "./format.js";
import { Keys } from "./keys.js";
import { Rows } from "./rows.js";
import { RANGES, address, parse, rangeOf } from "./state.js";
import { Store } from "./store.js";
import { Live, history as historyOf, lines, read } from "./stream.js";
import { startTheme } from "./theme.js";
import { About, Alerts, Doctor, alertsOf, helpDialog } from "./told.js";
import { AllSeries, OneSeries, Well } from "./views.js";

const PIXELS = 480;
const VIEWS = [["well", "Overview"], ["series", "Series"], ["alerts", "Alerts"], ["doctor", "Doctor"], ["about", "About"]];
// A frame is late when it is this many steps old.
const LATE_STEPS = 4;
const ASK_MS = 900;

class App {
  constructor() {
    this.store = new Store();
    this.rows = new Rows(this.store);
    this.state = parse(location.hash);
    this.alerts = null;
    this.doctor = null;
    this.link = "connecting";
    this.view = null;
    this.isDue = false;
    // The milliseconds that the last updates took; tests read them.
    this.costs = [];
    this.select = (from, to, key) => this.change({ from, to, ...(key ? { view: "series", key } : {}) });
    this.main = document.getElementById("main");
    this.health = document.getElementById("health");
    this.banner = document.getElementById("banner");
    this.makeHeader();
    addEventListener("hashchange", () => this.go(parse(location.hash)));
    document.addEventListener("visibilitychange", () => this.draw());
    setInterval(() => this.tick(), 1000);
    this.go(this.state);
    this.start();
  }

  start() {
    const recording = document.getElementById("recording");
    this.isFile = recording !== null;
    if (this.isFile) {
      for (const line of lines(`${recording.textContent}\n`)) this.store.apply(line);
      this.link = "file";
      this.rows.refresh();
      return this.draw();
    }
    this.live = new Live({
      line: (line) => this.take(line),
      lost: (frames) => (this.store.lost += frames),
      state: (state) => {
        this.link = state;
        this.tick();
      },
    });
    this.live.start();
    return undefined;
  }

  take(line) {
    const begun = performance.now();
    const isNew = this.store.apply(line);
    this.spent = (this.spent ?? 0) + performance.now() - begun;
    if (!isNew) return;
    this.takenAt = Date.now();
    this.refreshTold();
    this.draw();
  }

  // Requests alerts with each frame and findings less often; never two requests at a time.
  async refreshTold() {
    const now = performance.now();
    // Hundreds of frames arrive together at the start.
    if (document.hidden || this.isAsking || now - this.askedAt < ASK_MS) return;
    this.isAsking = true;
    this.askedAt = now;
    const { paths } = this.live;
    if (paths.includes("/alerts")) this.alerts = (await read("/alerts")) ?? this.alerts;
    const every = this.state.view === "doctor" ? 2_000 : 15_000;
    if (paths.includes("/doctor") && !(now - this.doctorAt < every)) {
      this.doctorAt = now;
      this.doctor = (await read("/doctor")) ?? this.doctor;
    }
    this.isAsking = false;
    this.draw();
  }

  get end() {
    return this.store.newest?.end ?? Date.now();
  }

  // The visible range: without the time before the program's start, but at least a minute.
  range() {
    const [from, to] = rangeOf(this.state, this.end);
    if (this.state.from !== null) return [from, to];
    const begin = Math.min(this.store.oldest().coarse, this.store.meta?.started_ms ?? Infinity);
    return [Math.max(from, Math.min(begin, to - RANGES["1m"])), to];
  }

  // The frames of the visible range, assigned to the pixels of a chart.
  plan(width = PIXELS) {
    const [from, to] = this.range();
    return new Plan(this.store, from, to, width);
  }

  planBefore() {
    const [from, to] = this.range();
    return new Plan(this.store, 2 * from - to, from, PIXELS);
  }

  // `isQuiet`: changes the address without an entry in the browser's history, as while typing.
  change(parts, isQuiet = false) {
    const hash = address({ ...this.state, ...parts });
    if (isQuiet) {
      history.replaceState(null, "", hash);
      this.go(parse(hash));
    } else location.hash = hash;
  }

  open(key) {
    this.change({ view: "series", key });
  }

  linkTo(key) {
    return address({ ...this.state, view: "series", key });
  }

  back(event) {
    event?.preventDefault();
    if (this.state.from !== null) this.change({ from: null, to: null });
    else if (this.state.key !== null) this.change({ key: null });
    else this.change({ view: "well" });
  }

  togglePause() {
    if (this.state.from !== null) this.change({ from: null, to: null });
    else {
      const [from, to] = this.range();
      this.change({ from, to });
    }
  }

  go(state) {
    const isOther = !this.view || state.view !== this.state.view || state.key !== this.state.key;
    this.state = state;
    if (isOther) {
      this.view?.free();
      this.view = this.makeView();
      this.main.replaceChildren(this.view.element);
      const name = state.key ?? VIEWS.find(([view]) => view === state.view)[1];
      document.title = `${name} · ${this.store.meta?.program ?? "Tachograph"}`;
      scrollTo(0, 0);
    }
    this.fetchRange();
    this.draw();
  }

  makeView() {
    const { view, key } = this.state;
    if (view === "series") return key === null ? new AllSeries(this) : new OneSeries(this, key);
    return new { well: Well, alerts: Alerts, doctor: Doctor, about: About }[view](this);
  }

  // Requests frames that the page does not have: from before it was opened, or finer ones.
  async fetchRange() {
    const { store } = this;
    if (this.isFile || !store.newest || this.isFetching) return;
    const [from, to] = this.range();
    const held = store.oldest();
    const isHeld = from >= held.fine || (store.zoom && store.zoom.from <= from && store.zoom.to >= Math.min(to, held.fine));
    if (isHeld) return;
    const step = Math.max(store.step, Math.floor((to - from) / PIXELS / 1000) * 1000);
    const end = Math.min(to, held.fine);
    this.isFetching = true;
    const got = await historyOf(from, end, step);
    this.isFetching = false;
    if (got === null) return;
    store.view(got, from, end);
    this.draw();
  }

  draw() {
    if (this.isDue || document.hidden) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      const begun = performance.now();
      this.rows.refresh();
      this.updateHeader();
      this.view.update();
      document.body.dataset.version = String(this.store.newest?.version ?? "");
      this.costs.push((this.spent ?? 0) + performance.now() - begun);
      this.spent = 0;
      if (this.costs.length > 120) this.costs.shift();
    });
  }

  // Updates the ages, which change without a frame.
  tick() {
    this.updateHeader();
    if (this.link !== "live") this.draw();
    if (RANGES[this.state.range] > RANGES["10m"]) this.fetchRange();
  }

  emptyText() {
    if (this.link === "locked") return "The server asks for a token.";
    if (this.link === "disconnected") return "The server does not answer. Retrying …";
    if (!this.store.newest) return "Waiting for the first frame …";
    return "Nothing has been recorded yet: no series.";
  }

  makeHeader() {
    const group = document.getElementById("ranges");
    this.rangeButtons = Object.keys(RANGES).map((range, i) =>
      h("button", { type: "button", title: `the last ${range} (${i + 1})`, onclick: () => this.setRange(range) }, range));
    group.append(...this.rangeButtons);
    this.tabs = VIEWS.map(([view, title]) => h("a", { href: `#/${view}`, "data-view": view }, title));
    document.getElementById("views").append(...this.tabs);
    const toggleTheme = startTheme(() => this.draw());
    const dialog = helpDialog();
    document.body.append(dialog);
    const help = () => (dialog.open ? dialog.close() : dialog.showModal());
    document.getElementById("pause").addEventListener("click", () => this.togglePause());
    document.getElementById("theme").addEventListener("click", toggleTheme);
    document.getElementById("help").addEventListener("click", help);
    document.getElementById("skip").addEventListener("click", (event) => {
      event.preventDefault();
      this.main.focus();
    });
    this.keys = new Keys(this, { toggleTheme, help, dialog });
  }

  setRange(range) {
    this.change({ range, from: null, to: null });
  }

  updateHeader() {
    const { store, state } = this;
    // The age counts from the arrival of a frame: the server's clock may differ, and the first frames are old.
    const age = store.newest ? (Date.now() - this.takenAt) / 1000 : NaN;
    say(document.getElementById("program"), store.meta?.program ?? "Tachograph");
    const up = store.meta && store.newest ? (store.newest.end - store.meta.started_ms) / 1000 : NaN;
    say(document.getElementById("uptime"), Number.isFinite(up) ? `up ${duration(up)}` : "");
    const isLate = !this.isFile && age * 1000 > LATE_STEPS * store.step;
    const { text, health } = this.wellness(isLate, age);
    say(this.health, text);
    attribute(this.health, "data-state", health);
    document.body.classList.toggle("is-stale", isLate && store.newest !== null);
    Object.keys(RANGES).forEach((range, i) => {
      attribute(this.rangeButtons[i], "aria-pressed", String(state.from === null && state.range === range));
    });
    for (const tab of this.tabs) {
      const isOpen = tab.dataset.view === state.view;
      if (isOpen) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    const pause = document.getElementById("pause");
    say(pause, state.from === null ? "pause" : "go live");
    this.updateBanner(isLate);
  }

  wellness(isLate, age) {
    const { store } = this;
    if (this.isFile) return { text: "a recording", health: "unknown" };
    if (this.link === "locked") return { text: "○ locked", health: "gone" };
    if (this.link === "disconnected") {
      const old = store.newest ? `, last frame ${duration(age)} ago` : "";
      return { text: `○ disconnected${old}`, health: "gone" };
    }
    if (!store.newest) return { text: "○ waiting for the first frame", health: "unknown" };
    if (isLate) return { text: `○ no new frames: last one ${duration(age)} ago`, health: "gone" };
    const states = alertsOf(this.alerts).map(({ alert }) => alert.state);
    const count = (state) => states.filter((it) => it === state).length;
    if (count("firing") > 0) return { text: `▲ ${count("firing")} firing`, health: "bad" };
    const bad = (this.doctor?.findings ?? []).filter((it) => it.severity === "bad").length;
    if (count("pending") > 0) return { text: `△ ${count("pending")} pending`, health: "warning" };
    if (bad > 0) return { text: `△ doctor: ${bad} ${bad === 1 ? "finding" : "findings"}`, health: "warning" };
    return { text: "● healthy", health: "good" };
  }

  updateBanner(isLate) {
    const { state, store } = this;
    const items = [];
    const now = this.alerts?.at ?? 0;
    for (const { rule, alert } of alertsOf(this.alerts)) {
      if (alert.state !== "firing") continue;
      const text = `▲ ${rule.name} firing ${duration(now - alert.since)}: ${rule.condition}, now ${alert.value_text}`;
      items.push([text, "bad", "#/alerts"]);
    }
    if (this.link === "locked") {
      items.push(["The server asks for a token: open its address again with /?token=…", "gone", null]);
    } else if (this.link === "disconnected" || isLate) {
      items.push(["This data is out of date. The page resumes as soon as the server answers.", "gone", null]);
    }
    if (state.from !== null) {
      const text = `${clock(state.from)} to ${clock(state.to)} (${duration((state.to - state.from) / 1000)}); press space or esc to go live`;
      items.push([text, "note", null]);
    }
    if (store.lost > 0) items.push([`The server skipped ${store.lost} frames because this page did not keep up: gaps are marked.`, "note", null]);
    const shown = items.map((it) => it.join()).join();
    if (shown === this.shownBanner) return;
    this.shownBanner = shown;
    this.banner.hidden = items.length === 0;
    this.banner.replaceChildren(...items.map(([text, kind, href]) =>
      h("p", { class: kind }, href ? h("a", { href }, text) : text)));
  }
}

globalThis.tachograph = new App();
