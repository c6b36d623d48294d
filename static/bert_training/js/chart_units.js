/** How the figures of a chart are written, and from where to where its axis goes. Stored figures are never changed. */

const GIB = 2 ** 30;
// Where lines of the grid may be: at whole GB, not at powers of ten of bytes.
const GIB_STEPS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048].map((step) => step * GIB);
const SHAPES = {
  number: { form: { maximumFractionDigits: 4 } },
  rate: { form: { maximumSignificantDigits: 3 } },
  share: { form: { style: "percent", maximumFractionDigits: 1 } },
  percent: { form: { style: "percent", maximumFractionDigits: 0 }, scale: 1 / 100, range: () => [0, 100] },
  bytes: { form: { style: "unit", unit: "gigabyte", maximumFractionDigits: 1 }, scale: 1 / GIB, range: (_plot, _low, high) => [0, (high || GIB) * 1.05], steps: GIB_STEPS },
  celsius: { form: { style: "unit", unit: "celsius", maximumFractionDigits: 0 } },
};

/** @param {string} unit @param {string} lang @returns {(value: number|null|undefined) => string} */
export function writer(unit, lang) {
  const { form, scale = 1 } = SHAPES[unit];
  const format = new Intl.NumberFormat(lang, form);
  return (value) => (value == null ? "–" : format.format(value * scale));
}

/** @param {string} unit @returns {object} what uPlot's upright axis needs beside its look */
export function axisOf(unit) {
  const { steps } = SHAPES[unit];
  return steps ? { incrs: steps } : {};
}

/** @param {string} unit @returns {object} uPlot's scale for the upright axis */
export function scaleOf(unit) {
  const { range } = SHAPES[unit];
  return range ? { range } : {};
}
