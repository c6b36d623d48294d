/** The steps of a run that deserve a line through its charts: the best evaluation, and where it stopped early. */

import { CurveData } from "./curve_data.js";

const DASHES = [4, 4];
const TEXT_PIXELS = 12;

/** @typedef {{step: number, text: string}} Mark */

export class RunMarks {
  /**
   * @param {{metric: string, higher: boolean}|null} best how evaluations are compared; null = they are not
   * @param {{best: string, stoppedEarly: string}} words with {epoch} and {step}
   * @param {string} lang
   */
  constructor(best, words, lang) {
    this.best = best;
    this.words = words;
    this.lang = lang;
    this.data = new CurveData([{ split: "validation", metric: best?.metric }]);
    this.stoppedAt = null;
  }

  append(points) {
    this.data.append(points);
  }

  setAttempts(attempts) {
    this.data.setAttempts(attempts);
  }

  /** @param {{stopped_early?: boolean, step: number}} progress of the run */
  setProgress(progress) {
    this.stoppedAt = progress.stopped_early ? progress.step : null;
  }

  /** @returns {Mark[]} */
  get marks() {
    const marks = [];
    const step = this.#bestStep();
    if (step !== undefined) marks.push({ step, text: this.#say(this.words.best, step) });
    if (this.stoppedAt) marks.push({ step: this.stoppedAt, text: this.#say(this.words.stoppedEarly, this.stoppedAt) });
    return marks;
  }

  /** The first of equal ones, as the worker chooses. */
  #bestStep() {
    const [steps, values] = this.data.columns;
    let found;
    values.forEach((value, at) => {
      if (value == null) return;
      const gain = found === undefined ? 1 : (value - values[found]) * (this.best.higher ? 1 : -1);
      if (gain > 0) found = at;
    });
    return steps[found];
  }

  #say(words, step) {
    const number = (value) => (value ?? 0).toLocaleString(this.lang);
    return words.replace("{epoch}", number(this.data.epochAt(step))).replace("{step}", number(step));
  }
}

/**
 * Draw upright lines with their names beside them, those in the right half to the left.
 * @param {object} plot of uPlot @param {Mark[]} marks @param {CSSStyleDeclaration} style of the text
 */
export function drawMarks({ ctx: pen, bbox, valToPos }, marks, style) {
  const pixels = globalThis.devicePixelRatio || 1;
  pen.save();
  pen.font = `${TEXT_PIXELS * pixels}px ${style.fontFamily}`;
  pen.fillStyle = pen.strokeStyle = style.color;
  pen.setLineDash(DASHES.map((dash) => dash * pixels));
  marks.forEach(({ step, text }, row) => {
    const x = valToPos(step, "x", true);
    if (!(x >= bbox.left && x <= bbox.left + bbox.width)) return; // outside of what is looked at
    pen.beginPath();
    pen.moveTo(x, bbox.top);
    pen.lineTo(x, bbox.top + bbox.height);
    pen.stroke();
    const side = x > bbox.left + bbox.width / 2 ? -1 : 1;
    pen.textAlign = side < 0 ? "right" : "left";
    pen.fillText(text, x + side * 5 * pixels, bbox.top + (TEXT_PIXELS + 15 * row) * pixels);
  });
  pen.restore();
}
