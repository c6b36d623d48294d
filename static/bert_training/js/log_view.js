/**
 * Shows log lines: appends as they arrive, fills in older ones, filters by level, searches, follows the end.
 * Lines: {cursor, attempt, ts, level, message}. Text goes in as text only. At most MOST_ROWS of the lines in memory are
 * in the page: a window that moves along as the reader scrolls.
 */

import { LogPart } from "./log_part.js";
import { LEVELS, levelOf, makeRow, plainText } from "./log_rows.js";

const MOST_ROWS = 2_000;
const MOST_KEPT = 50_000; // lines in memory: the oldest go while the end is followed, and can be fetched again
const KEPT_SLACK = 5_000;
const STEP_ROWS = 500;
const NEAR_EDGE_PIXELS = 400; // of the window: then it moves
const NEAR_END_PIXELS = 40; // of the log: then it is followed

export class LogView {
  /**
   * @param {HTMLElement} box the scrolling element
   * @param {{lang: string, timeZone: string, attemptLabel: (number: number) => string}} words
   */
  constructor(box, words) {
    this.box = box;
    this.words = words;
    this.clock = new Intl.DateTimeFormat(words.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: words.timeZone });
    this.rows = document.createElement("div");
    this.older = new LogPart();
    this.newer = new LogPart();
    this.first = this.end = 0; // the window: places among what is shown, the end is behind its last row
    this.count = 0;
    this.query = "";
    this.lowest = 0;
    this.following = true;
    this.seenTop = 0;
    this.seenHeight = 0;
    box.replaceChildren(this.rows);
    box.addEventListener("scroll", () => this.#noticeScroll(), { passive: true });
    box.addEventListener("keydown", (event) => this.#noticeKey(event));
    // Follows once a frame, not once an append: reading the height lays out.
    new ResizeObserver(() => this.following && this.toEnd()).observe(this.rows);
  }

  /** Append lines at the end. @param {object[]} lines in order */
  append(lines) {
    const wasAtEnd = this.end === this.#total;
    this.newer.add(lines, this.#isShown);
    this.count += lines.length;
    if (this.following) {
      this.#showEnd();
      this.#trim();
    } else if (wasAtEnd) this.#show(this.first, this.first + MOST_ROWS);
  }

  /** Append older lines before those that came with the page; called with rising cursors from the start. */
  appendOlder(lines) {
    this.#changeOlder(() => this.older.add(lines, this.#isShown));
    this.count += lines.length;
  }

  /** Put a button where lines are missing, between the older and the newer ones. @param {HTMLElement} button */
  offer(button) {
    this.#changeOlder(() => this.older.add([{ button }], this.#isShown));
  }

  /** Take the button away. */
  withdraw() {
    this.#changeOlder(() => [this.older.entries, this.older.shown].forEach((list) => list.pop()));
  }

  /** Tell which attempt the first newer line belongs to, so that no divider stands above it. */
  beginAt(attempt) {
    this.newer.attempt = attempt;
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  /** @param {string} level hides what is less severe; "" shows all */
  showLevel(level) {
    this.lowest = Math.max(0, LEVELS.indexOf(level));
    this.#filter();
  }

  /** @param {string} query shows only lines with it, whatever the case @returns {number} how many there are */
  search(query) {
    this.query = query.toLocaleLowerCase();
    this.#filter();
    const buttons = this.older.shown.at(-1)?.button ? 1 : 0;
    return this.query ? this.#total - buttons : 0;
  }

  /** @param {boolean} following whether new lines move the view */
  follow(following) {
    this.following = following;
    if (following) {
      this.#showEnd();
      this.toEnd();
    }
    this.onfollow?.(following);
  }

  /** @returns {number} the lines in memory, dividers and the button included */
  get held() {
    return this.older.entries.length + this.newer.entries.length;
  }

  /** @param {number} cursor @returns {boolean} whether the line is in memory */
  has(cursor) {
    return [this.older, this.newer].some(({ entries }) => entries.some((entry) => entry.ts && entry.cursor === cursor));
  }

  /** Show a line in its surroundings; nothing may hide it. @param {number} cursor */
  go(cursor) {
    this.target = cursor;
    this.follow(false);
    this.rows.replaceChildren();
    this.first = this.end = 0;
    this.#showAround(cursor);
  }

  /** All lines before the newer ones go, and of those the oldest: memory does not grow with a run. */
  #trim() {
    if (this.isFilling || this.held < MOST_KEPT + KEPT_SLACK) return;
    const fromNewer = Math.max(0, this.newer.entries.length - MOST_KEPT);
    const dropped = this.older.entries.concat(this.newer.entries.slice(0, fromNewer)).findLast(({ ts }) => ts);
    const gone = this.older.drop(this.older.entries.length) + this.newer.drop(fromNewer);
    const hidden = Math.max(0, gone - this.first); // rows of the window that went with them
    for (let place = 0; place < hidden; place += 1) this.rows.firstElementChild.remove();
    this.first = Math.max(0, this.first - gone);
    this.end -= gone;
    this.onTrim?.(dropped.cursor);
  }

  get #total() {
    return this.older.shown.length + this.newer.shown.length;
  }

  #at(place) {
    const { length } = this.older.shown;
    return place < length ? this.older.shown[place] : this.newer.shown[place - length];
  }

  #isShown = ({ level, message, divides, button }) => {
    if (divides || button) return Boolean(button) || !this.query;
    if (levelOf(level) < this.lowest) return false;
    return !this.query || plainText(message).toLocaleLowerCase().includes(this.query);
  };

  /** Filter anew; a reader in the middle stays near the line that stood on top. */
  #filter() {
    const { cursor = 0 } = (!this.following && this.#at(this.first + this.#topRow())) || {};
    for (const part of [this.older, this.newer]) part.shown = part.entries.filter(this.#isShown);
    this.rows.replaceChildren();
    this.first = this.end = 0;
    if (this.following) this.#showEnd();
    else this.#showAround(cursor);
  }

  #showAround(cursor) {
    const found = [...this.older.shown, ...this.newer.shown].findIndex((entry) => entry.cursor >= cursor);
    const place = found < 0 ? this.#total : found;
    const first = Math.max(0, Math.min(place - MOST_ROWS / 2, this.#total - MOST_ROWS));
    this.#show(first, first + MOST_ROWS);
    this.rows.children[place - first]?.scrollIntoView({ block: "start" });
  }

  /** Change the older part, whose end may be in the window: rows on the side that is not read are made anew. */
  #changeOlder(change) {
    const border = this.older.shown.length;
    const isReadingOlder = !this.following && this.first + this.#topRow() < border;
    this.#keepPlace(() => {
      if (isReadingOlder) {
        this.#show(this.first, Math.min(this.end, border));
        change();
        this.#show(this.first, this.first + MOST_ROWS);
      } else {
        this.#show(Math.max(this.first, border), this.end);
        change();
        const added = this.older.shown.length - border;
        this.first += added;
        this.end += added;
        this.#show(this.end - MOST_ROWS, this.end);
      }
    });
  }

  #showEnd() {
    this.#show(this.#total - MOST_ROWS, this.#total);
  }

  /** Move the window; rows that stay are kept. */
  #show(first, end) {
    const { rows } = this;
    first = Math.max(0, first);
    end = Math.min(end, this.#total);
    if (first >= this.end || end <= this.first) {
      rows.replaceChildren();
      this.first = this.end = first;
    }
    for (; this.first < first; this.first += 1) rows.firstElementChild.remove();
    for (; this.end > end; this.end -= 1) rows.lastElementChild.remove();
    rows.prepend(this.#rowsOf(first, this.first));
    rows.append(this.#rowsOf(this.end, end));
    this.first = first;
    this.end = end;
  }

  #rowsOf(first, end) {
    const fragment = document.createDocumentFragment();
    for (let place = first; place < end; place += 1) fragment.append(makeRow(this.#at(place), this));
    return fragment;
  }

  /** Change rows above or below without moving the row that stands on top. */
  #keepPlace(change) {
    const row = this.following ? undefined : this.rows.children[this.#topRow()];
    const top = row?.getBoundingClientRect().top;
    change();
    if (row?.isConnected) this.box.scrollTop += row.getBoundingClientRect().top - top;
  }

  /** @returns {number} the first row of the window that can be seen, found by halving */
  #topRow() {
    const { top } = this.box.getBoundingClientRect();
    let [from, to] = [0, Math.max(0, this.rows.childElementCount - 1)];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.rows.children[middle].getBoundingClientRect().bottom > top) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** A reader who scrolls up stops following, one who comes to the end follows again; a changed height is neither. */
  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const below = scrollHeight - scrollTop - clientHeight;
    const isAtEnd = below < NEAR_END_PIXELS && this.end === this.#total;
    const isScrolledUp = scrollTop < this.seenTop && scrollHeight >= this.seenHeight;
    this.seenTop = scrollTop;
    this.seenHeight = scrollHeight;
    const following = isAtEnd || (this.following && !isScrolledUp);
    const isChanged = following !== this.following;
    this.following = following;
    if (isChanged) this.onfollow?.(following);
    if (!following) this.#moveWindow(scrollTop, below);
  }

  #moveWindow(above, below) {
    const { first, end } = this;
    if (above < NEAR_EDGE_PIXELS && first > 0) {
      this.#keepPlace(() => this.#show(first - STEP_ROWS, Math.min(end, first - STEP_ROWS + MOST_ROWS)));
    } else if (below < NEAR_EDGE_PIXELS && end < this.#total) {
      this.#keepPlace(() => this.#show(Math.max(first, end + STEP_ROWS - MOST_ROWS), end + STEP_ROWS));
    }
  }

  /** Home and End mean the log, not the window. */
  #noticeKey(event) {
    if (event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    this.follow(event.key === "End");
    if (this.following) return;
    this.#show(0, MOST_ROWS);
    this.box.scrollTop = 0;
  }
}
