/**
 * Draws one group of curves over the training steps and appends points as they arrive.
 * Points: {attempt, step, split, values}. A later attempt goes on at a checkpoint: what earlier ones did beyond that
 * step was lost with them and is not drawn.
 */

const HEIGHT_PIXELS = 240;
const COLOURS = 6;

/** @typedef {{split: string, metric: string, label: string, shown: boolean}} Curve */

export class MetricChart {
  /**
   * @param {HTMLElement} parent
   * @param {{label: string, percent: boolean, curves: Curve[]}} group
   * @param {{lang: string, step: string, splits: Record<string, string>}} words
   */
  constructor(parent, group, words) {
    this.group = group;
    this.words = words;
    this.values = new Map(); // step -> {attempt, row: one value a curve}
    this.attempts = [];
    this.number = new Intl.NumberFormat(words.lang, group.percent ? { style: "percent", maximumFractionDigits: 1 } : { maximumFractionDigits: 4 });
    this.figure = document.createElement("figure");
    this.figure.className = "chart";
    this.figure.hidden = true; // until there is something to draw
    this.canvas = document.createElement("div");
    this.canvas.className = "chart-canvas";
    this.canvas.setAttribute("role", "img");
    this.figure.append(this.#caption(), this.canvas);
    parent.append(this.figure);
    this.#draw();
    new ResizeObserver(() => this.plot.setSize(this.#size())).observe(this.canvas);
    document.addEventListener("themechange", () => this.#draw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {{step: number, split: string, values: Record<string, number|null>}[]} points */
  append(points) {
    let isChanged = false;
    for (const point of points) {
      if (this.#isSuperseded(point)) continue;
      this.group.curves.forEach((curve, place) => {
        const value = curve.split === point.split ? point.values[curve.metric] : undefined;
        if (value === undefined) return;
        this.#rowAt(point)[place] = value;
        isChanged = true;
      });
    }
    if (isChanged) {
      this.figure.hidden = false;
      this.#schedule();
    }
  }

  /** @param {{number: number, resumed_from_step: number|null}[]} attempts of the run; forgets what they superseded */
  setAttempts(attempts) {
    this.attempts = attempts;
    for (const [step, { attempt }] of this.values) {
      if (this.#isSuperseded({ attempt, step })) this.values.delete(step);
    }
    this.#schedule();
  }

  #isSuperseded({ attempt, step }) {
    return this.attempts.some(({ number, resumed_from_step: from }) => number > attempt && from != null && from < step);
  }

  #rowAt({ attempt, step }) {
    const known = this.values.get(step) ?? { attempt, row: new Array(this.group.curves.length).fill(null) };
    known.attempt = Math.max(known.attempt, attempt); // a resumed attempt may judge again what the one before had trained
    this.values.set(step, known);
    return known.row;
  }

  #schedule() {
    this.scheduled ??= requestAnimationFrame(() => {
      this.scheduled = undefined;
      this.plot.setData(this.#columns());
      this.#describe();
    });
  }

  #columns() {
    const steps = [...this.values.keys()].sort((one, other) => one - other);
    return [steps, ...this.group.curves.map((_curve, place) => steps.map((step) => this.values.get(step).row[place]))];
  }

  #caption() {
    const caption = document.createElement("figcaption");
    const title = document.createElement("span");
    title.textContent = this.group.label;
    this.legend = document.createElement("ul");
    this.legend.className = "chart-legend";
    this.buttons = this.group.curves.map((curve, place) => this.#legendButton(curve, place));
    caption.append(title, this.legend);
    return caption;
  }

  #legendButton(curve, place) {
    const button = document.createElement("button");
    const swatch = document.createElement("span");
    const text = document.createElement("span");
    button.type = "button";
    button.setAttribute("aria-pressed", String(curve.shown));
    swatch.className = `chart-swatch series-${(place % COLOURS) + 1}`;
    text.textContent = this.#name(curve);
    button.append(swatch, text);
    button.addEventListener("click", () => this.#toggle(place));
    const item = document.createElement("li");
    item.append(button);
    this.legend.append(item);
    return { button, swatch, text };
  }

  #name(curve) {
    const isAlone = new Set(this.group.curves.map(({ split }) => split)).size === 1;
    return isAlone ? curve.label : `${curve.label} (${this.words.splits[curve.split]})`;
  }

  #toggle(place) {
    const curve = this.group.curves[place];
    curve.shown = !curve.shown;
    this.buttons[place].button.setAttribute("aria-pressed", String(curve.shown));
    this.plot.setSeries(place + 1, { show: curve.shown });
  }

  #size() {
    return { width: Math.max(200, this.canvas.clientWidth), height: HEIGHT_PIXELS };
  }

  /** (Re)draw with the colours of the theme: a canvas cannot read CSS variables by itself. */
  #draw() {
    this.plot?.destroy();
    const style = getComputedStyle(this.figure);
    const axis = { stroke: style.color, font: `12px ${style.fontFamily}`, grid: { stroke: "rgba(128,140,152,.22)", width: 1 }, ticks: { show: false } };
    const number = (value) => (value == null ? "–" : this.number.format(value));
    this.plot = new globalThis.uPlot(
      {
        ...this.#size(),
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
        scales: { x: { time: false } },
        axes: [
          { ...axis, size: 32, values: (_plot, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick.toLocaleString(this.words.lang) : "")) },
          { ...axis, size: 58, values: (_plot, ticks) => ticks.map(number) },
        ],
        series: [{ label: this.words.step }, ...this.group.curves.map((curve, place) => this.#series(curve, place))],
        hooks: { setCursor: [(plot) => this.#readCursor(plot, number)] },
      },
      this.#columns(),
      this.canvas,
    );
    this.#describe();
  }

  #series(curve, place) {
    return {
      label: this.#name(curve),
      show: curve.shown,
      stroke: getComputedStyle(this.buttons[place].swatch).color,
      width: 2,
      spanGaps: true,
      points: { size: 5 },
    };
  }

  /** Write the values under the pointer into the legend. */
  #readCursor(plot, number) {
    const at = plot.cursor.idx;
    this.group.curves.forEach((curve, place) => {
      const value = at == null ? undefined : plot.data[place + 1][at];
      this.buttons[place].text.textContent = value == null ? this.#name(curve) : `${this.#name(curve)} ${number(value)}`;
    });
  }

  /** Say the newest values to those who cannot see the picture; the table below it has all. */
  #describe() {
    const [, ...columns] = this.plot.data;
    const newest = columns.map((column) => column.findLast((value) => value != null));
    const parts = this.group.curves.map((curve, place) => newest[place] === undefined ? "" : `${this.#name(curve)} ${this.number.format(newest[place])}`);
    this.canvas.setAttribute("aria-label", [this.group.label, ...parts.filter(Boolean)].join("; "));
  }
}
