/** What stands below a chart: its figures as a table, made when somebody opens it, and where they are saved from. */

const MOST_ROWS = 200; // the file has all of them
const FRESH_AFTER_MS = 2_000;

export class ChartFigures {
  /**
   * @param {import("./curve_data.js").CurveData} data
   * @param {{label: string, files: {svg: string, csv: string}}} group
   * @param {{names: string[], number: (value: number|null) => string, words: Record<string, string>, lang: string}} how
   */
  constructor(data, group, how) {
    this.data = data;
    this.group = group;
    this.how = how;
    this.box = document.createElement("div");
    this.box.className = "live-chart-below";
    this.details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = how.words.table;
    this.table = document.createElement("table");
    this.details.append(summary, this.#scrolling(this.table));
    this.details.addEventListener("toggle", () => this.details.open && this.#fill());
    this.box.append(this.details, this.#file("svg", how.words.savePicture), this.#file("csv", how.words.saveFigures));
  }

  /** There are new figures: an opened table gets them, a closed one when it is opened. */
  refresh() {
    if (!this.details.open) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.#fill();
    }, FRESH_AFTER_MS);
  }

  #scrolling(table) {
    const box = document.createElement("div");
    box.className = "table-box table-box-tall";
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", this.group.label);
    box.append(table);
    return box;
  }

  #file(form, text) {
    const link = document.createElement("a");
    link.href = this.group.files[form];
    link.download = "";
    link.textContent = text;
    link.setAttribute("aria-label", `${text}: ${this.group.label}`);
    return link;
  }

  #fill() {
    const { names, number, words, lang } = this.how;
    const [steps, ...columns] = this.data.columns;
    const drawn = names.map((_name, place) => place).filter((place) => columns[place].some((value) => value != null));
    const every = Math.max(1, Math.ceil(steps.length / MOST_ROWS));
    const head = rowOf("th", [words.epoch, words.step, ...drawn.map((place) => names[place])]);
    const body = [];
    for (let at = steps.length - 1; at >= 0; at -= every) {
      const whole = [this.data.epochAt(steps[at]), steps[at]].map((value) => value.toLocaleString(lang));
      body.push(rowOf("td", [...whole, ...drawn.map((place) => number(columns[place][at]))]));
    }
    this.table.replaceChildren(part("thead", [head]), part("tbody", body));
    if (every > 1) this.table.prepend(this.#caption(every));
  }

  #caption(every) {
    const caption = document.createElement("caption");
    caption.textContent = this.how.words.thinned.replace("{every}", every.toLocaleString(this.how.lang));
    return caption;
  }
}

function part(name, rows) {
  const element = document.createElement(name);
  element.append(...rows);
  return element;
}

function rowOf(name, texts) {
  const row = document.createElement("tr");
  for (const text of texts) {
    const cell = document.createElement(name);
    cell.className = "cell-number";
    if (name === "th") cell.scope = "col";
    cell.textContent = text;
    row.append(cell);
  }
  return row;
}
