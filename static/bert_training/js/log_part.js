/** Lines without a gap between them, with a divider before each new attempt; `shown` are those that pass the filters. */
export class LogPart {
  entries = [];
  shown = [];
  attempt = 1;

  add(lines, isShown) {
    for (const line of lines) {
      if (line.attempt > this.attempt) this.#push({ cursor: line.cursor, divides: line.attempt }, isShown);
      this.attempt = Math.max(this.attempt, line.attempt);
      this.#push(line, isShown);
    }
  }

  /** Forget the oldest. @returns {number} how many of them were shown */
  drop(count) {
    let shown = 0;
    for (const entry of this.entries.splice(0, count)) if (this.shown[shown] === entry) shown += 1;
    this.shown.splice(0, shown);
    return shown;
  }

  #push(entry, isShown) {
    this.entries.push(entry);
    if (isShown(entry)) this.shown.push(entry);
  }
}
