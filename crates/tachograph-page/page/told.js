// The views of text: alerts, doctor, about; and the help.

import { h } from "./dom.js";
import { clock, duration, format, grouped } from "./format.js";

const day = (seconds) => (seconds ? clock(seconds * 1000) : "–");
const since = (seconds, now) => (seconds ? `${day(seconds)}, ${duration(now - seconds)} ago` : "–");

const SIGNS = { firing: "▲", pending: "△", inactive: "○", stale: "?" };
const AROUND_MS = 30_000;
const EVENTS = 40;
const MARKS_TEXT = { 2: "values were reset", 4: "the program was restarted", 8: "frames are missing: the recorder was late" };
const ORDER = ["firing", "pending", "stale", "inactive"];

// Replaces the children only if the text has changed, so that focus and selection stay.
function refresh(box, text, make) {
  if (box.shownText === text) return;
  box.shownText = text;
  box.replaceChildren(...make());
}

// Narrow screens show the rows of a `stacked` table one cell below the other.
function table(caption, head, rows, isStacked = false) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: isStacked ? "stacked" : null },
      h("thead", {}, h("tr", {}, head.map((it) => h("th", { scope: "col" }, it)))),
      h("tbody", {}, rows)));
}

const row = (cells, attributes = {}) => h("tr", attributes, cells.map((it) => h("td", {}, it)));

function labelsText(labels) {
  return Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`).join(", ");
}

// All alerts of all rules, firing ones first.
export function alertsOf(told) {
  const all = (told?.rules ?? []).flatMap((rule) => rule.alerts.map((alert) => ({ rule, alert })));
  return all.sort((a, b) => ORDER.indexOf(a.alert.state) - ORDER.indexOf(b.alert.state));
}

// What an alert compares. A dash stands for none: a heartbeat has neither, a series without samples no value.
function compared(alert) {
  const value = alert.value_text ?? format(alert.value);
  const limit = alert.threshold_text ?? "–";
  if (limit === "–") return value;
  return h("span", {}, value === "–" ? "no value" : value, h("span", { class: "quiet" }, `, limit ${limit}`));
}

// A message tells why an alert fires: of one that does not, it would be wrong.
const messageOf = (alert) => (alert.state === "inactive" ? "" : (alert.message ?? ""));

// A time that shows the charts around it.
function moment(app, ms, text = clock(ms)) {
  const show = () => app.change({ view: "well", key: null, from: ms - AROUND_MS, to: ms + AROUND_MS });
  return h("button", { type: "button", class: "link", title: "show this minute", onclick: show }, text);
}

// What happened in a recording, oldest first: alerts that changed, marks of frames.
function eventsOf(app) {
  const { frames } = app.store.fine;
  const marks = Object.entries(MARKS_TEXT).flatMap(([bit, text]) =>
    frames.filter((it) => it.marks & bit).map((it) => ({ at: it.end, text })));
  const changes = (app.alerts?.changes ?? []).map(({ at, rule, labels, from, to, value_text: value }) => ({
    at: at * 1000, state: to === "inactive" && from === "firing" ? "resolved" : to, text: [rule, labelsText(labels), value].filter(Boolean).join(" · "),
  }));
  return [...marks, ...changes].filter((it) => it.at >= app.begin).sort((a, b) => a.at - b.at);
}

// The card that tells of a recording what happened in it; empty if nothing did.
export function happened(app) {
  const events = eventsOf(app);
  const findings = app.doctor?.findings ?? [];
  if (events.length + findings.length === 0) return null;
  const items = events.slice(-EVENTS).map(({ at, state, text }) => row([
    moment(app, at), state ? h("span", { class: `state ${state}` }, `${SIGNS[state] ?? "○"} ${state}`) : "", text,
  ]));
  const earlier = events.length > EVENTS ? `, ${events.length - EVENTS} earlier` : "";
  const found = findings.length > 0 ? [h("p", { class: "found" }, h("a", { href: "#/doctor" }, "doctor"), `: ${findings.map((it) => it.title).join("; ")}`)] : [];
  return h("section", { class: "card" }, h("h3", {}, "what happened", h("span", { class: "quiet" }, `oldest first${earlier}`)),
    items.length > 0 ? table("what happened", ["when", "alert", "what"], items) : null, found);
}

export class Alerts {
  isTold = true;

  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.element = h("div", {}, h("h2", {}, "Alerts"), this.body);
  }

  update() {
    const told = this.app.alerts;
    const now = Math.floor((told?.at ?? 0));
    this.body.dataset.alerts = String(told?.snapshot_version ?? "");
    refresh(this.body, JSON.stringify([told, now]), () => {
      if (!told) return [h("p", { class: "empty" }, this.app.isFile ? "A recording holds no alerts. `tachograph report FILE --rules RULES` adds those that would have fired." : "This server evaluates no alert rules.")];
      if (told.rules.length === 0) return [h("p", { class: "empty" }, "There are no rules.")];
      return [this.rules(told, now), this.changes(told), ...(told.sinks ? [this.sinks(told, now)] : [])];
    });
  }

  rules(told, now) {
    const rows = alertsOf(told).map(({ rule, alert }) => row([
      h("span", { class: `state ${alert.state}` }, `${SIGNS[alert.state] ?? ""} ${alert.state}`),
      h("span", {}, h("b", {}, alert.series ? h("a", { href: this.app.linkTo(alert.series) }, rule.name) : rule.name), " ", h("span", { class: "quiet" }, rule.severity), h("br"), h("span", { class: "quiet" }, labelsText(alert.labels))),
      h("span", {}, rule.condition, rule.for ? h("span", { class: "quiet" }, ` for ${duration(rule.for)}`) : null),
      compared(alert),
      alert.since ? since(alert.since, now) : "",
      rule.runbook ? h("span", {}, messageOf(alert), runbook(rule.runbook)) : messageOf(alert),
    ], { "data-rule": rule.name, "data-state": alert.state }));
    return h("section", { class: "card" }, h("h3", {}, "rules"), table("rules", ["state", "rule", "condition", "value", "since", "message"], rows, true));
  }

  changes(told) {
    const rows = (told.changes ?? []).map((it) => row([
      moment(this.app, it.at * 1000, day(it.at)), h("b", {}, it.rule), labelsText(it.labels),
      h("span", {}, h("span", { class: `state ${it.from}` }, it.from), " → ", h("span", { class: `state ${it.to}` }, it.to)), it.value_text ?? "",
    ]));
    const body = rows.length > 0 ? table("history", ["when", "rule", "labels", "change", "value"], rows, true) : h("p", { class: "quiet" }, "No alert has changed since the start.");
    return h("section", { class: "card" }, h("h3", {}, "history", h("span", { class: "quiet" }, "newest first")), body);
  }

  sinks(told, now) {
    const hasErrors = told.sinks.some((it) => it.last_error);
    const rows = told.sinks.map((it) => row([
      h("b", {}, it.name), String(it.delivered), String(it.failed), String(it.dropped), String(it.waiting), since(it.last_delivery, now),
      ...(hasErrors ? [it.last_error ?? ""] : []),
    ], { class: it.failed + it.dropped > 0 ? "is-bad" : null }));
    const head = ["sink", "delivered", "failed", "dropped", "waiting", "last delivery", ...(hasErrors ? ["last error"] : [])];
    const body = rows.length > 0 ? table("sinks", head, rows) : h("p", { class: "quiet" }, "There are no sinks: alerts are only shown here.");
    return h("section", { class: "card" }, h("h3", {}, "sinks"), body);
  }

  free() {}
}

// Only addresses of the web become links.
function runbook(address) {
  const isLink = /^https?:\/\//.test(address);
  return isLink ? h("a", { href: address, rel: "noreferrer" }, " runbook") : h("span", {}, ` runbook: ${address}`);
}

export class Doctor {
  isTold = true;

  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.element = h("div", {}, h("h2", {}, "Doctor"), this.body);
  }

  update() {
    const told = this.app.doctor;
    // Not heartbeats, which always fire.
    const firing = alertsOf(this.app.alerts).filter(({ rule, alert }) => rule.condition !== "always" && alert.state === "firing");
    const shown = firing.map(({ rule, alert }) => [rule.name, messageOf(alert), alert.series]);
    refresh(this.body, JSON.stringify([told?.findings ?? null, shown]), () => {
      const alerts = shown.map(([name, message, series]) => h("section", { class: "card finding warning" },
        h("h3", {}, h("a", { href: "#/alerts" }, `△ the alert ${name} is firing`)), message ? h("p", {}, message) : null,
        series ? h("p", {}, h("a", { href: this.app.linkTo(series) }, series)) : null));
      if (!told) return [...alerts, h("p", { class: "empty" }, "This server has no page /doctor.")];
      const none = h("p", { class: "empty" }, "No findings: nothing was lost, no limit is reached, no tail grew.");
      if (told.findings.length === 0) return alerts.length > 0 ? [...alerts, h("p", { class: "quiet" }, "There are no other findings.")] : [none];
      return alerts.concat(told.findings.map((it) => h("section", { class: `card finding ${it.severity}` },
        h("h3", {}, `${{ bad: "▲", warning: "△" }[it.severity] ?? "○"} ${it.title}`, h("span", { class: "quiet" }, it.severity)),
        h("p", {}, it.detail), it.advice ? h("p", {}, h("b", {}, "Try: "), it.advice) : null,
        it.series ? h("p", {}, h("a", { href: this.app.linkTo(it.series) }, it.series)) : null)));
    });
  }

  free() {}
}

export class About {
  constructor(app) {
    this.app = app;
    this.body = h("dl", { class: "facts-list" });
    this.element = h("div", {}, h("h2", {}, "About"), h("section", { class: "card" }, this.body));
  }

  update() {
    const { store, report } = this.app;
    const { meta } = store;
    const reach = (depth) => (depth.frames.length > 0 ? duration((store.newest.end - depth.begin) / 1000) : "nothing yet");
    const facts = [
      ...(report?.run ? [["recording", report.run.file], ["its frames", grouped(report.run.frames)]] : []),
      ...(report?.run?.notes ?? []).map((note) => ["note", note]),
      ["program", meta ? `${meta.program} ${meta.version}` : "–"],
      ["started", meta ? new Date(meta.started_ms).toLocaleString() : "–"],
      ["series", grouped(store.series.length)],
      ["a frame covers", meta ? duration(meta.step_ms / 1000) : "–"],
      ["newest frame", store.newest ? `snapshot ${store.newest.version}, ${clock(store.newest.end)}` : "–"],
      ...(this.app.isFile ? [] : this.kept(reach)),
      ["precision", "counts, sums, minima and maxima are exact; quantiles are within 0.05 % for the sliding window, within 4.5 % for other ranges"],
    ];
    refresh(this.body, JSON.stringify(facts), () => facts.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
  }

  // What a page that listens to a server has kept and missed.
  kept(reach) {
    const { store } = this.app;
    const { fine, coarse } = store;
    const gaps = fine.frames.filter((it) => it.marks & 8).length;
    return [
      ["single frames kept", `${reach(fine)}, ${format(fine.bytes, "bytes")}${store.isCut ? " (less than ten minutes: there are too many series for the memory of this page)" : ""}`],
      ["merged frames kept", `${reach(coarse)}, ${format(coarse.bytes, "bytes")}`],
      ["skipped by the server", `${store.lost} frames`],
      ["gaps in the last ten minutes", `${gaps} frames that cover more than two and a half steps`],
    ];
  }

  free() {}
}

const KEYS = [
  ["/", "search"], ["arrows", "move in the table; the crosshair in a chart"], ["enter", "open; in a chart: zoom in"],
  ["shift + arrows", "select a range in a chart"], ["esc", "back"], ["space", "pause, resume"], ["1 – 4", "range"],
  ["g w", "overview"], ["g s", "all series"], ["g a", "alerts"], ["g d", "doctor"], ["g i", "about"], ["t", "switch between light and dark"], ["?", "this help"],
];

export function helpDialog() {
  const close = h("button", { type: "button", onclick: () => dialog.close() }, "close");
  const dialog = h("dialog", { "aria-label": "keys" }, h("h2", {}, "Keys"),
    h("table", {}, h("tbody", {}, KEYS.map(([key, text]) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, key)), h("td", {}, text))))), close);
  return dialog;
}
