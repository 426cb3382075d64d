// The views of text: alerts, doctor, about; and the help.

import { h, say } from "./dom.js";
import { clock, duration, format } from "./format.js";

const day = (seconds) => (seconds ? clock(seconds * 1000) : "–");
const since = (seconds, now) => (seconds ? `${day(seconds)}, ${duration(now - seconds)} ago` : "–");

const SIGNS = { firing: "▲", pending: "△", inactive: "○", stale: "?" };
const ORDER = ["firing", "pending", "stale", "inactive"];

// Replaces the children only if the text has changed, so that focus and selection stay.
function refresh(box, text, make) {
  if (box.shownText === text) return;
  box.shownText = text;
  box.replaceChildren(...make());
}

function table(caption, head, rows) {
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    h("table", { class: "told" },
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

export class Alerts {
  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.element = h("div", {}, h("h2", {}, "Alerts"), this.body);
  }

  update() {
    const told = this.app.alerts;
    const now = Math.floor((told?.at ?? 0));
    refresh(this.body, JSON.stringify([told, now]), () => {
      if (!told) return [h("p", { class: "empty" }, this.app.isFile ? "A recording has no alerts." : "This server evaluates no alert rules.")];
      if (told.rules.length === 0) return [h("p", { class: "empty" }, "There are no rules.")];
      return [this.rules(told, now), this.changes(told), this.sinks(told, now)];
    });
  }

  rules(told, now) {
    const rows = alertsOf(told).map(({ rule, alert }) => row([
      h("span", { class: `state ${alert.state}` }, `${SIGNS[alert.state] ?? ""} ${alert.state}`),
      h("span", {}, h("b", {}, rule.name), " ", h("span", { class: "quiet" }, rule.severity), h("br"), h("span", { class: "quiet" }, labelsText(alert.labels))),
      h("span", {}, rule.condition, rule.for ? h("span", { class: "quiet" }, ` for ${duration(rule.for)}`) : null),
      h("span", {}, alert.value_text ?? format(alert.value), h("span", { class: "quiet" }, alert.threshold_text ? ` of ${alert.threshold_text}` : "")),
      since(alert.since, now),
      h("span", {}, alert.message ?? "", rule.runbook ? runbook(rule.runbook) : null),
    ], { "data-rule": rule.name, "data-state": alert.state }));
    return h("section", { class: "card" }, h("h3", {}, "rules"), table("rules", ["state", "rule", "condition", "value", "since", "message"], rows));
  }

  changes(told) {
    const rows = (told.changes ?? []).map((it) => row([
      day(it.at), h("b", {}, it.rule), labelsText(it.labels),
      h("span", {}, h("span", { class: `state ${it.from}` }, it.from), " → ", h("span", { class: `state ${it.to}` }, it.to)), it.value_text ?? "",
    ]));
    const body = rows.length > 0 ? table("history", ["when", "rule", "labels", "change", "value"], rows) : h("p", { class: "quiet" }, "No alert has changed since the start.");
    return h("section", { class: "card" }, h("h3", {}, "history", h("span", { class: "quiet" }, "newest first")), body);
  }

  sinks(told, now) {
    const rows = (told.sinks ?? []).map((it) => row([
      h("b", {}, it.name), String(it.delivered), String(it.failed), String(it.dropped), String(it.waiting), since(it.last_delivery, now), it.last_error ?? "",
    ], { class: it.failed + it.dropped > 0 ? "is-bad" : null }));
    const body = rows.length > 0 ? table("sinks", ["sink", "delivered", "failed", "dropped", "waiting", "last delivery", "last error"], rows) : h("p", { class: "quiet" }, "There are no sinks: alerts are only shown here.");
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
  constructor(app) {
    this.app = app;
    this.body = h("div", {});
    this.element = h("div", {}, h("h2", {}, "Doctor"), this.body);
  }

  update() {
    const told = this.app.doctor;
    refresh(this.body, JSON.stringify(told?.findings ?? null), () => {
      if (!told) return [h("p", { class: "empty" }, this.app.isFile ? "The page has no findings for recordings: run `tachograph doctor FILE`." : "This server has no page /doctor.")];
      if (told.findings.length === 0) return [h("p", { class: "empty" }, "No findings: the metrics show no problem.")];
      return told.findings.map((it) => h("section", { class: `card finding ${it.severity}` },
        h("h3", {}, `${{ bad: "▲", warning: "△" }[it.severity] ?? "○"} ${it.title}`, h("span", { class: "quiet" }, it.severity)),
        h("p", {}, it.detail), it.advice ? h("p", {}, h("b", {}, "Try: "), it.advice) : null,
        it.series ? h("p", {}, h("a", { href: this.app.linkTo(it.series) }, it.series)) : null));
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
    const { store } = this.app;
    const { meta, fine, coarse } = store;
    const reach = (depth) => (depth.frames.length > 0 ? duration((store.newest.end - depth.begin) / 1000) : "nothing yet");
    const gaps = [...fine.frames].filter((it) => it.marks & 8).length;
    const facts = [
      ["program", meta ? `${meta.program} ${meta.version}` : "–"],
      ["started", meta ? new Date(meta.started_ms).toLocaleString() : "–"],
      ["series", store.series.length.toLocaleString("en-US")],
      ["a frame covers", meta ? duration(meta.step_ms / 1000) : "–"],
      ["newest frame", store.newest ? `snapshot ${store.newest.version}, ${clock(store.newest.end)}` : "–"],
      ["single frames kept", `${reach(fine)}, ${format(fine.bytes, "bytes")}${store.isCut ? " (less than ten minutes: there are too many series for the memory of this page)" : ""}`],
      ["merged frames kept", `${reach(coarse)}, ${format(coarse.bytes, "bytes")}`],
      ["skipped by the server", `${store.lost} frames`],
      ["gaps in the last ten minutes", `${gaps} frames that cover more than two and a half steps`],
      ["precision", "counts, sums, minima and maxima are exact; quantiles are within 0.05 % for the sliding window, within 4.5 % for other ranges"],
    ];
    refresh(this.body, JSON.stringify(facts), () => facts.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
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

export function sayHealth(element, { text, state }) {
  say(element, text);
  element.dataset.state = state;
}
