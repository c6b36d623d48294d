/** All charts of a run: hands them points, attempts and marks; each shows itself with its first point. */

import { RunMarks } from "./chart_marks.js";
import { MetricChart } from "./metric_chart.js";

export class RunCharts {
  /**
   * @param {{charts: object[], best: object|null, words: Record<string, string>}} data of the page
   * @param {{charts: HTMLElement, empty: HTMLElement, hardware: HTMLElement}} places
   * @param {string} lang
   */
  constructor({ charts, best, words }, places, lang) {
    this.places = places;
    this.marks = new RunMarks(best, words, lang);
    const splits = { train: words.train, validation: words.validation };
    const placeOf = (group) => (group.folded ? places.hardware.querySelector(".charts") : places.charts);
    this.charts = charts.map((group) => new MetricChart(placeOf(group), group, { lang, words, splits }));
    this.shown = "";
  }

  append(points) {
    if (!points.length) return;
    this.places.charts.hidden = false;
    this.places.empty.hidden = true;
    if (points.some(({ split }) => split === "hardware")) this.places.hardware.hidden = false;
    for (const chart of this.charts) chart.append(points);
    this.marks.append(points);
    this.#mark();
  }

  /** @param {{attempts?: object[], progress?: object}} run its state */
  show({ attempts, progress }) {
    if (attempts) {
      for (const part of [...this.charts, this.marks]) part.setAttempts(attempts);
    }
    if (progress) this.marks.setProgress(progress);
    this.#mark();
  }

  #mark() {
    const { marks } = this.marks;
    const shown = JSON.stringify(marks);
    if (shown === this.shown) return;
    this.shown = shown;
    for (const chart of this.charts) chart.setMarks(chart.group.folded ? [] : marks);
  }
}
