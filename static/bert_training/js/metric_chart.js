/**
 * Draws one group of curves over the training steps and appends points as they arrive. A chart that cannot be seen
 * (it is folded away) costs no drawing; it is drawn when it is shown.
 */

import { ChartFigures } from "./chart_figures.js";
import { drawMarks } from "./chart_marks.js";
import { axisOf, scaleOf, writer } from "./chart_units.js";
import { CurveData } from "./curve_data.js";

const HEIGHT_PIXELS = 240;
const COLOURS = 6;

export class MetricChart {
  /**
   * @param {HTMLElement} parent
   * @param {{label: string, unit: string, curves: import("./curve_data.js").Curve[], files: object}} group
   * @param {{lang: string, words: Record<string, string>, splits: Record<string, string>}} how
   */
  constructor(parent, group, how) {
    this.group = group;
    this.how = how;
    this.data = new CurveData(group.curves);
    this.marks = [];
    this.number = writer(group.unit, how.lang);
    this.figure = document.createElement("figure");
    this.figure.className = "live-chart";
    this.figure.hidden = true; // until there is something to draw
    this.canvas = document.createElement("div");
    this.canvas.className = "live-chart-canvas";
    this.canvas.setAttribute("role", "img");
    const names = group.curves.map((curve) => this.#name(curve));
    this.figures = new ChartFigures(this.data, group, { names, number: this.number, words: how.words, lang: how.lang });
    this.figure.append(this.#caption(), this.canvas, this.figures.box);
    parent.append(this.figure);
    new ResizeObserver(() => this.#fit()).observe(this.canvas);
    this.canvas.addEventListener("dblclick", () => (this.isZoomed = false));
    document.addEventListener("themechange", () => this.#redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#redraw());
  }

  /** @param {object[]} points of any split and curve */
  append(points) {
    if (!this.data.append(points)) return;
    this.figure.hidden = false;
    this.#schedule();
  }

  /** @param {{number: number, resumed_from_step: number|null}[]} attempts */
  setAttempts(attempts) {
    this.data.setAttempts(attempts);
    this.#schedule();
  }

  /** @param {import("./chart_marks.js").Mark[]} marks to draw as upright lines */
  setMarks(marks) {
    this.marks = marks;
    this.#schedule();
  }

  #schedule() {
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = undefined;
      this.#update();
    });
  }

  #update() {
    this.figures.refresh();
    if (!this.canvas.clientWidth) return;
    const columns = this.data.columns;
    columns.slice(1).forEach((column, place) => (this.buttons[place].item.hidden = column.every((value) => value == null)));
    if (!this.plot) this.#draw(columns);
    else if (this.isZoomed) this.#setDataInside(columns);
    else this.plot.setData(columns);
    this.#describe(columns);
  }

  /** Somebody looks at a stretch: new points do not take it away. */
  #setDataInside(columns) {
    this.plot.setData(columns, false);
    this.plot.redraw();
  }

  #fit() {
    if (!this.canvas.clientWidth) return;
    if (this.plot) this.plot.setSize(this.#size());
    else if (this.data.rows.size) this.#schedule();
  }

  #caption() {
    const caption = document.createElement("figcaption");
    this.title = document.createElement("span");
    this.title.textContent = this.group.label;
    const legend = document.createElement("ul");
    legend.className = "chart-legend";
    this.buttons = this.group.curves.map((curve, place) => this.#legendButton(curve, place));
    legend.append(...this.buttons.map(({ item }) => item));
    caption.append(this.title, legend);
    return caption;
  }

  #legendButton(curve, place) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    const text = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", String(curve.shown));
    swatch.className = `chart-swatch series-${(place % COLOURS) + 1}`;
    text.textContent = this.#name(curve);
    button.append(swatch, text);
    button.addEventListener("click", () => this.#toggle(place));
    item.append(button);
    return { item, button, swatch, text };
  }

  #name(curve) {
    const isAlone = new Set(this.group.curves.map(({ split }) => split)).size === 1;
    return isAlone ? curve.label : `${curve.label} (${this.how.splits[curve.split]})`;
  }

  #toggle(place) {
    const curve = this.group.curves[place];
    curve.shown = !curve.shown;
    this.buttons[place].button.setAttribute("aria-pressed", String(curve.shown));
    this.plot?.setSeries(place + 1, { show: curve.shown });
  }

  #size() {
    return { width: Math.max(200, this.canvas.clientWidth), height: HEIGHT_PIXELS };
  }

  /** Draw with the colours of the theme: a canvas cannot read CSS variables by itself. */
  #draw(columns) {
    const style = getComputedStyle(this.figure);
    const axis = { stroke: style.color, font: `12px ${style.fontFamily}`, grid: { stroke: "rgba(128,140,152,.22)", width: 1 }, ticks: { show: false } };
    this.plot = new globalThis.uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
        scales: { x: { time: false }, y: scaleOf(this.group.unit) },
        axes: [
          { ...axis, size: 32, values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString(this.how.lang) : "")) },
          { ...axis, ...axisOf(this.group.unit), size: 68, values: (_plot, ticks) => ticks.map(this.number) },
        ],
        series: [{ label: this.how.words.step }, ...this.group.curves.map((curve, place) => this.#series(curve, place))],
        hooks: {
          setCursor: [(plot) => this.#readCursor(plot)],
          setSelect: [() => (this.isZoomed = true)],
          draw: [(plot) => drawMarks(plot, this.marks, style)],
        },
      },
      columns,
      this.canvas,
    );
  }

  #redraw() {
    this.plot?.destroy();
    this.plot = undefined;
    this.isZoomed = false;
    this.#schedule();
  }

  #series(curve, place) {
    return {
      label: this.#name(curve),
      show: curve.shown,
      stroke: this.#colour(place),
      width: 2,
      spanGaps: true,
      points: { size: 5 },
    };
  }

  #colour(place) {
    return getComputedStyle(this.buttons[place].swatch).color;
  }

  /** Write the values under the pointer into the legend, and where that is into the title. */
  #readCursor(plot) {
    const at = plot.cursor.idx;
    const step = at == null ? undefined : plot.data[0][at];
    this.title.textContent = step === undefined ? this.group.label : `${this.group.label} · ${this.#placeOf(step)}`;
    this.group.curves.forEach((curve, series) => {
      const value = at == null ? undefined : plot.data[series + 1][at];
      this.buttons[series].text.textContent = value == null ? this.#name(curve) : `${this.#name(curve)} ${this.number(value)}`;
    });
  }

  #placeOf(step) {
    const number = (value) => (value ?? 0).toLocaleString(this.how.lang);
    return this.how.words.place.replace("{epoch}", number(this.data.epochAt(step))).replace("{step}", number(step));
  }

  /** Say the newest values to those who cannot see the picture; the table below it has all. */
  #describe([, ...columns]) {
    const newest = columns.map((column) => column.findLast((value) => value != null));
    const parts = this.group.curves.map((curve, place) => newest[place] === undefined ? "" : `${this.#name(curve)} ${this.number(newest[place])}`);
    this.canvas.setAttribute("aria-label", [this.group.label, ...parts.filter(Boolean), ...this.marks.map(({ text }) => text)].join("; "));
  }
}
