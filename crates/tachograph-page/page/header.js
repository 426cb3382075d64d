// The head of the page: health, tabs, ranges, switches; and the notices below it.

import { attribute, h, say } from "./dom.js";
import { clock, duration } from "./format.js";
import { Keys } from "./keys.js";
import { RANGES } from "./state.js";
import { startTheme } from "./theme.js";
import { alertsOf, helpDialog } from "./told.js";

export const VIEWS = [["well", "Overview"], ["compare", "Two runs"], ["series", "Series"], ["alerts", "Alerts"], ["doctor", "Doctor"], ["about", "About"]];

const byId = (id) => document.getElementById(id);

export class Header {
  constructor(app) {
    this.app = app;
    this.health = byId("health");
    this.banner = byId("banner");
    this.ranges = Object.keys(RANGES).filter((range) => this.hasRange(range));
    this.rangeButtons = this.ranges.map((range, i) =>
      h("button", { type: "button", title: range === "all" ? "the whole recording" : `the last ${range} (${i + 1})`, onclick: () => app.setRange(range) }, range));
    byId("ranges").append(...this.rangeButtons);
    const views = VIEWS.filter(([view]) => view !== "compare" || app.report?.comparison);
    this.tabs = views.map(([view, title]) => h("a", { href: `#/${view}`, "data-view": view }, title));
    byId("views").append(...this.tabs);
    const toggleTheme = startTheme(() => app.draw());
    const dialog = helpDialog();
    document.body.append(dialog);
    const help = () => (dialog.open ? dialog.close() : dialog.showModal());
    byId("pause").addEventListener("click", () => app.togglePause());
    byId("theme").addEventListener("click", toggleTheme);
    byId("help").addEventListener("click", help);
    byId("skip").addEventListener("click", (event) => {
      event.preventDefault();
      app.main.focus();
    });
    this.keys = new Keys(app, { toggleTheme, help, dialog });
  }

  // A recording has all its time, and no longer ranges than that.
  hasRange(range) {
    const { app } = this;
    if (!app.isFile) return range !== "all";
    return range === "all" || RANGES[range] < app.end - app.begin;
  }

  update() {
    const { store, state, isFile, isLate } = this.app;
    // The age counts from the arrival of a frame: the server's clock may differ, and the first frames are old.
    const age = store.newest ? (Date.now() - this.app.takenAt) / 1000 : NaN;
    say(byId("program"), store.meta?.program ?? "Tachograph");
    const up = store.meta && store.newest ? (store.newest.end - store.meta.started_ms) / 1000 : NaN;
    say(byId("uptime"), Number.isFinite(up) && !isFile ? `up ${duration(up)}` : "");
    const { text, health } = this.wellness(isLate, age);
    say(this.health, text);
    attribute(this.health, "data-state", health);
    document.body.classList.toggle("is-stale", isLate);
    this.ranges.forEach((range, i) => {
      attribute(this.rangeButtons[i], "aria-pressed", String(state.from === null && state.range === range));
    });
    for (const tab of this.tabs) attribute(tab, "aria-current", tab.dataset.view === state.view ? "page" : null);
    const pause = byId("pause");
    say(pause, state.from === null ? "pause" : isFile ? "show all" : "go live");
    pause.hidden = isFile && state.from === null;
    byId("save").hidden = !this.app.live?.paths.includes("/report");
    this.updateBanner(isLate);
  }

  wellness(isLate, age) {
    const { store, link, isFile, alerts, doctor, begin, end } = this.app;
    if (isFile) {
      const at = new Date(begin).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      return { text: `${duration((end - begin) / 1000)} from ${at}`, health: "unknown" };
    }
    if (link === "locked") return { text: "○ locked", health: "gone" };
    if (link === "disconnected") {
      const old = store.newest ? `, last frame ${duration(age)} ago` : "";
      return { text: `○ disconnected${old}`, health: "gone" };
    }
    if (!store.newest) return { text: "○ waiting for the first frame", health: "unknown" };
    if (isLate) return { text: `○ no new frames: last one ${duration(age)} ago`, health: "gone" };
    return healthOf(alerts, doctor);
  }

  updateBanner(isLate) {
    const { state, store, link, isFile, alerts, report, live } = this.app;
    const isOld = link === "disconnected" || isLate;
    const items = (report?.run?.notes ?? []).map((note) => [`This recording: ${note}.`, "note", "#/about"]);
    const now = alerts?.at ?? 0;
    for (const { rule, alert } of alertsOf(alerts)) {
      if (alert.state !== "firing") continue;
      const when = isFile ? "at the end" : isOld ? "when last heard of" : "now";
      const text = `▲ ${rule.name} firing ${duration(now - alert.since)}: ${rule.condition}, ${when} ${alert.value_text}`;
      items.push([text, "bad", alert.series ? this.app.linkTo(alert.series) : "#/alerts"]);
    }
    if (link === "locked") {
      items.push(["The server asks for a token: open its address again with ?token=…", "gone", null]);
    } else if (isOld && store.newest) {
      const next = link === "disconnected" ? ` ${live.retryText()}` : "";
      items.unshift([`This data is out of date. The page goes on by itself once the server answers.${next}`, "gone", null]);
    }
    if (state.from !== null) {
      const back = isFile ? "to see all of it" : "to go live";
      items.push([`${clock(state.from)} to ${clock(state.to)} (${duration((state.to - state.from) / 1000)}); press space or esc ${back}`, "note", null]);
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

// The health in a few words. Warnings of the doctor are for later: they stand beside "healthy".
export function healthOf(alerts, doctor) {
  const states = alertsOf(alerts).map(({ alert }) => alert.state);
  const count = (state) => states.filter((it) => it === state).length;
  const found = (severity) => (doctor?.findings ?? []).filter((it) => it.severity === severity).length;
  const some = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  if (count("firing") > 0) return { text: `▲ ${count("firing")} firing`, health: "bad" };
  if (count("pending") > 0) return { text: `△ ${count("pending")} pending`, health: "warning" };
  if (found("bad") > 0) return { text: `△ doctor: ${some(found("bad"), "finding")}`, health: "warning" };
  if (found("warning") > 0) return { text: `● healthy, ${some(found("warning"), "warning")}`, health: "good" };
  return { text: "● healthy", health: "good" };
}
