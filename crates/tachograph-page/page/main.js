// The application: receives frames, and draws the open view once per frame.

import { Compare, CompareOne } from "./compare.js";
import { Plan } from "./curves.js";
import { Header, VIEWS } from "./header.js";
import { isReport, readReport } from "./report.js";
import { Rows } from "./rows.js";
import { RANGES, address, parse, rangeOf } from "./state.js";
import { Store } from "./store.js";
import { Live, history as historyOf, read } from "./stream.js";
import { About, Alerts, Doctor, alertsOf } from "./told.js";
import { AllSeries, OneSeries, Well } from "./views.js";

const PIXELS = 480;
const ASK_MS = 900;
const CALM_MS = 1_900;
// A frame is late when it is this many steps old.
const LATE_STEPS = 4;

class App {
  constructor() {
    this.isFile = isReport();
    // The default range.
    this.usual = this.isFile ? "all" : "10m";
    this.store = new Store();
    this.state = parse(location.hash, this.usual);
    this.alerts = null;
    this.doctor = null;
    this.report = null;
    // The frames of the earlier run, in a report of two.
    this.before = null;
    this.link = this.isFile ? "file" : "connecting";
    this.view = null;
    // What to draw next: "data", or only what is "told" (alerts, findings, ages).
    this.due = null;
    this.select = (from, to, key) => this.change({ from, to, ...(key ? { view: "series", key } : {}) });
    this.main = document.getElementById("main");
    this.start();
  }

  async start() {
    if (this.isFile && !(await this.readFile())) return;
    this.rows = new Rows(this.store, { isWhole: this.isFile });
    this.header = new Header(this);
    addEventListener("hashchange", () => this.go(parse(location.hash, this.usual)));
    document.addEventListener("visibilitychange", () => this.draw());
    setInterval(() => this.tick(), 1000);
    this.go(this.state);
    if (!this.isFile) this.listen();
  }

  async readFile() {
    this.main.textContent = "Reading the recording …";
    try {
      const { facts, store, before } = await readReport();
      [this.report, this.store, this.before] = [facts, store, before];
    } catch (error) {
      this.main.textContent = `This report cannot be read: ${error.message}. It needs a browser of 2023 or later.`;
      return false;
    }
    this.alerts = this.report.alerts ?? null;
    this.doctor = this.report.doctor ?? null;
    return true;
  }

  listen() {
    this.live = new Live({
      line: (line) => this.take(line),
      lost: (frames) => (this.store.lost += frames),
      state: (state) => {
        this.link = state;
        this.tick();
      },
    });
    this.live.start();
  }

  take(line) {
    if (!this.store.apply(line)) return;
    this.takenAt = Date.now();
    this.refreshTold();
    this.draw();
  }

  // Whether frames arrive in time.
  get isLate() {
    return !this.isFile && this.store.newest !== null && Date.now() - this.takenAt > LATE_STEPS * this.store.step;
  }

  // Whether alerts can wait: nobody looks at them, and none is about to fire.
  get isCalm() {
    return this.alerts !== null && this.state.view !== "alerts" && alertsOf(this.alerts).every((it) => it.alert.state !== "pending");
  }

  // Requests alerts with each frame, or less often in calm times, and findings less often still; never two
  // requests at a time.
  async refreshTold() {
    const now = performance.now();
    // Hundreds of frames arrive together at the start.
    if (document.hidden || this.isAsking || now - this.askedAt < (this.isCalm ? CALM_MS : ASK_MS)) return;
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
    this.draw("told");
  }

  // Whether numbers are those of a range, not of now.
  get isRange() {
    return this.isFile || this.state.from !== null;
  }

  get end() {
    return this.store.newest?.end ?? Date.now();
  }

  // The beginning of what there is to see. A recording's first frame may hold hours before it.
  get begin() {
    const oldest = this.store.oldest().coarse;
    if (this.isFile) return this.report.run?.begin_ms ?? oldest;
    return Math.min(oldest, this.store.meta?.started_ms ?? Infinity);
  }

  // The visible range: without the time before the program's start, but at least a minute.
  range() {
    const [from, to] = rangeOf(this.state, this.end);
    if (this.state.from !== null) return [from, to];
    const least = this.isFile ? this.begin : Math.min(this.begin, to - RANGES["1m"]);
    return [Math.max(from, least), to];
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
    const hash = address({ ...this.state, ...parts }, this.usual);
    if (isQuiet) history.replaceState(null, "", hash);
    else if (hash !== location.hash) history.pushState(null, "", hash);
    // At once: the event that setting the address causes comes later, maybe after the next key.
    this.go(parse(hash, this.usual));
  }

  open(key) {
    this.change({ view: "series", key });
  }

  linkTo(key, view = "series") {
    return address({ ...this.state, view, key }, this.usual);
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
    if (view === "compare" && this.report?.comparison) return key === null ? new Compare(this) : new CompareOne(this, key);
    if (view === "series") return key === null ? new AllSeries(this) : new OneSeries(this, key);
    return new { well: Well, compare: Well, alerts: Alerts, doctor: Doctor, about: About }[view](this);
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

  // Draws with the next picture of the screen: everything, or only what is "told", without charts.
  draw(what = "data") {
    if (document.hidden) return;
    if (this.due === null) requestAnimationFrame(() => this.paint());
    if (this.due !== "data") this.due = what;
  }

  paint() {
    const isData = this.due === "data";
    this.due = null;
    if (isData || this.view.isTold) this.view.update();
    this.header.update();
    if (isData) document.body.dataset.version = String(this.store.newest?.version ?? "");
  }

  // Updates ages, which grow while there are no frames.
  tick() {
    if (this.isFile) return;
    if (this.link !== "live" || this.isLate) this.draw(this.store.newest ? "told" : "data");
    if (RANGES[this.state.range] > RANGES["10m"]) this.fetchRange();
  }

  // Why there is nothing to show: a title and a sentence.
  emptyText() {
    const { store, live } = this;
    if (this.link === "locked") return ["A token is needed", "Open this address again with ?token=… at its end."];
    if (this.link === "disconnected") return ["The server does not answer", live.retryText()];
    if (!store.newest) return ["Waiting for the first frame", "The page fills itself as soon as it comes."];
    const own = store.series.length > 0 ? ` The ${store.series.length} series of the metrics themselves are under Series.` : "";
    return ["Nothing has been recorded yet", `${store.meta?.program || "The program"} runs, and what it records shows up here at once.${own}`];
  }

  setRange(range) {
    if (this.header.ranges.includes(range)) this.change({ range, from: null, to: null });
  }
}

globalThis.tachograph = new App();
