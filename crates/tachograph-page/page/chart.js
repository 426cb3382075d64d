// A canvas over time, with a crosshair, selection by mouse, touch and keys, and a table as its text
// alternative. The `draw` function of a chart draws its content.

import { drawAxes, drawMarks, stroke } from "./axes.js";
import { h, say } from "./dom.js";
import { clock } from "./format.js";
import { Sight } from "./sight.js";
import { theme } from "./theme.js";

// One observer reports the sizes of all canvases, so that drawing does not read the layout.
const observer = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) target.chart?.resize(contentRect.width, contentRect.height);
});

const FONT = "11px system-ui, sans-serif";

export class Chart {
  // `options`: { title, height, draw(context, area, chart), tip(time), select(from, to), table() }
  constructor(options) {
    Object.assign(this, options);
    this.size = { width: 0, height: 0 };
    this.cursor = null;
    this.drag = null;
    this.canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": options.title });
    this.tipBox = h("div", { class: "tip", hidden: true });
    this.box = h("div", { class: `canvas ${options.class ?? ""}` }, this.canvas, this.tipBox);
    this.alternative = h("details", { class: "as-table", ontoggle: () => this.fillTable() },
      h("summary", {}, "as a table", h("span", { class: "hidden-text" }, ` of ${options.title}`)));
    this.legend = h("div", { class: "legend" });
    this.tools = h("div", { class: "tools" });
    this.element = h("figure", { class: "chart" },
      h("figcaption", {}, h("h3", {}, options.title), this.legend, this.tools), this.box,
      options.table ? this.alternative : null);
    this.sight = new Sight(this.element);
    this.box.chart = this;
    observer.observe(this.box);
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.drag = this.timeAt(event.offsetX);
    });
    canvas.addEventListener("pointerup", (event) => this.drop(this.timeAt(event.offsetX)));
    canvas.addEventListener("pointercancel", () => this.leave());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("blur", () => this.leave());
  }

  // Arrows move the crosshair by a pixel column; with shift they select; enter zooms in.
  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (steps && this.view) {
      const { from, to } = this.view;
      if (event.shiftKey) this.drag ??= this.cursor ?? to;
      const now = this.cursor ?? to;
      this.cursor = Math.min(to, Math.max(from, now + (steps * (to - from)) / 60));
      this.show();
    } else if (event.key === "Enter" && this.cursor !== null && this.view) {
      const { from, to } = this.view;
      const reach = (to - from) / 8;
      if (this.drag === null) this.drag = this.cursor - reach;
      this.drop(this.drag === this.cursor - reach ? this.cursor + reach : this.cursor);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  timeAt(x) {
    if (!this.area) return null;
    const { left, right } = this.area;
    const share = Math.min(1, Math.max(0, (x - left) / (right - left)));
    return this.view.from + share * (this.view.to - this.view.from);
  }

  point(x) {
    this.cursor = this.timeAt(x);
    this.show();
  }

  leave() {
    this.cursor = null;
    this.drag = null;
    this.show();
  }

  drop(time) {
    const { drag } = this;
    this.drag = null;
    if (drag === null || time === null || !this.area) return this.show();
    const [from, to] = [Math.min(drag, time), Math.max(drag, time)];
    if (this.area.x(to) - this.area.x(from) > 6) this.select?.(from, to);
    return this.show();
  }

  resize(width, height) {
    const ratio = devicePixelRatio || 1;
    this.size = { width, height };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    // Kept until the next size. Setting it makes the browser compute all styles.
    this.canvas.getContext("2d").font = FONT;
    this.paint();
  }

  // Draws a view: { plan, from, to, scale, unit, … } and the data that `draw` needs.
  update(view) {
    this.view = view;
    this.paint();
  }

  paint() {
    const { width, height } = this.size;
    if (width === 0 || !this.view) return;
    const ratio = devicePixelRatio || 1;
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const colours = theme();
    this.area = drawAxes(context, this.size, colours, this.view);
    this.draw(context, this.area, this.view, colours);
    if (this.view.plan) drawMarks(context, this.area, colours, this.view.plan);
    if (this.view.note) this.write(context, colours, this.view.note);
    this.drawCursor(context, colours);
    if (this.alternative.open) this.fillTable();
  }

  write(context, colours, note) {
    context.fillStyle = colours.quiet;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(note, (this.area.left + this.area.right) / 2, (this.area.top + this.area.bottom) / 2);
  }

  drawCursor(context, colours) {
    const { cursor, drag, area } = this;
    if (cursor === null) return;
    if (drag !== null) {
      context.fillStyle = colours.accent;
      context.globalAlpha = 0.2;
      context.fillRect(area.x(drag), area.top, area.x(cursor) - area.x(drag), area.bottom - area.top);
      context.globalAlpha = 1;
    }
    context.strokeStyle = colours.text;
    context.lineWidth = 1;
    context.setLineDash([]);
    stroke(context, Math.round(area.x(cursor)) + 0.5, area.top, Math.round(area.x(cursor)) + 0.5, area.bottom);
  }

  show() {
    this.paint();
    const { cursor, area, tipBox } = this;
    const lines = cursor !== null && area ? (this.tip?.(cursor, this.view) ?? null) : null;
    tipBox.hidden = lines === null;
    if (lines === null) return;
    tipBox.replaceChildren(h("b", {}, clock(cursor)), ...lines.map((line) => h("div", {}, line)));
    const x = area.x(cursor);
    const isRight = x > (area.left + area.right) / 2;
    tipBox.classList.toggle("left", isRight);
    tipBox.style.left = isRight ? "" : `${x + 12}px`;
    tipBox.style.right = isRight ? `${this.size.width - x + 12}px` : "";
    if (document.activeElement === this.canvas) say(announcer(), [clock(cursor), ...lines].join(", "));
  }

  fillTable() {
    if (!this.alternative.open || !this.table || !this.view) return;
    const { head, rows } = this.table(this.view);
    const table = h("table", {},
      h("thead", {}, h("tr", {}, head.map((it) => h("th", { scope: "col" }, it)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((it) => h("td", {}, it))))));
    const box = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${this.title}, as a table` }, table);
    const old = this.alternative.querySelector(".scroll");
    // A table with the focus or under the mouse is not replaced: somebody is reading it.
    if (old?.contains(document.activeElement) || old?.matches(":hover")) return;
    if (old) old.replaceWith(box);
    else this.alternative.append(box);
  }

  free() {
    this.sight.free();
    observer.unobserve(this.box);
  }
}

function announcer() {
  return document.getElementById("announcer");
}
