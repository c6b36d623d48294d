/**
 * The figures of one chart, by training step. Points: {attempt, epoch, step, split, values}. A later attempt goes on at
 * a checkpoint: what earlier ones did beyond that step was lost with them and is not kept.
 */

/** @typedef {{split: string, metric: string, label: string, shown: boolean}} Curve */

export class CurveData {
  /** @param {Curve[]} curves */
  constructor(curves) {
    this.curves = curves;
    this.rows = new Map(); // step -> {attempt, epoch, row: one value a curve}
    this.attempts = [];
  }

  /** @param {object[]} points @returns {boolean} whether one of them is of these curves */
  append(points) {
    let isChanged = false;
    for (const point of points) {
      if (this.#isSuperseded(point)) continue;
      this.curves.forEach((curve, place) => {
        const value = curve.split === point.split ? point.values[curve.metric] : undefined;
        if (value === undefined) return;
        this.#rowAt(point)[place] = value;
        isChanged = true;
      });
    }
    return isChanged;
  }

  /** @param {{number: number, resumed_from_step: number|null}[]} attempts of the run; forgets what they superseded */
  setAttempts(attempts) {
    this.attempts = attempts;
    for (const [step, { attempt }] of this.rows) {
      if (this.#isSuperseded({ attempt, step })) this.rows.delete(step);
    }
  }

  /** @returns {number[]} the steps with figures, rising */
  get steps() {
    return [...this.rows.keys()].sort((one, other) => one - other);
  }

  /** @returns {Array[]} the steps, then one column of values a curve */
  get columns() {
    const { steps } = this;
    const rows = steps.map((step) => this.rows.get(step).row);
    return [steps, ...this.curves.map((_curve, place) => rows.map((row) => row[place]))];
  }

  /** @param {number} step @returns {number|undefined} */
  epochAt(step) {
    return this.rows.get(step)?.epoch;
  }

  #isSuperseded({ attempt, step }) {
    return this.attempts.some(({ number, resumed_from_step: from }) => number > attempt && from != null && from < step);
  }

  #rowAt({ attempt, epoch, step }) {
    const known = this.rows.get(step) ?? { attempt, epoch, row: new Array(this.curves.length).fill(null) };
    known.attempt = Math.max(known.attempt, attempt); // a resumed attempt may judge again what the one before had trained
    this.rows.set(step, known);
    return known.row;
  }
}
