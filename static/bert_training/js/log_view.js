/**
 * Shows log lines: appends as they arrive, fills in older ones, filters by level, searches, follows the end.
 * Lines: {cursor, attempt, ts, level, message}. Text goes in as text only. Chunks of lines let the browser skip what
 * is off screen.
 */

import { pieces } from "./sgr.js";

const LINES_PER_CHUNK = 200;
const NEAR_END_PIXELS = 40;
const LEVELS = new Set(["DEBUG", "INFO", "WARNING", "ERROR"]);

export class LogView {
  /**
   * @param {HTMLElement} box the scrolling element
   * @param {{lang: string, timeZone: string, attemptLabel: (number: number) => string}} words
   */
  constructor(box, words) {
    this.box = box;
    this.words = words;
    this.clock = new Intl.DateTimeFormat(words.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: words.timeZone });
    this.older = document.createElement("div");
    this.newer = document.createElement("div");
    this.attempts = new Map([[this.older, 1], [this.newer, 1]]);
    this.count = 0;
    this.query = "";
    this.following = true;
    this.seenTop = 0;
    this.seenHeight = 0;
    box.replaceChildren(this.older, this.newer);
    box.addEventListener("scroll", () => this.#noticeScroll(), { passive: true });
    // Follows once a frame, not once an append: reading the height lays out. Chunks that come into view grow, too.
    const follower = new ResizeObserver(() => this.following && this.toEnd());
    follower.observe(this.older);
    follower.observe(this.newer);
  }

  /** Append lines at the end. @param {object[]} lines in order */
  append(lines) {
    this.#fill(this.newer, lines);
  }

  /** Append older lines before those that came with the page; called with rising cursors from the start. */
  appendOlder(lines) {
    // Most browsers keep what is being read in its place by themselves.
    const isAnchored = CSS.supports("overflow-anchor", "auto");
    const heightBefore = isAnchored ? 0 : this.older.offsetHeight;
    this.#fill(this.older, lines);
    if (!isAnchored && !this.following) this.box.scrollTop += this.older.offsetHeight - heightBefore;
  }

  /** Tell which attempt the first newer line belongs to, so that no divider stands above it. */
  beginAt(attempt) {
    this.attempts.set(this.newer, attempt);
  }

  toEnd() {
    this.box.scrollTop = this.box.scrollHeight;
  }

  /** @param {string} level hides what is less severe; "" shows all */
  showLevel(level) {
    this.box.dataset.level = level;
  }

  /** @param {string} query shows only lines with it, whatever the case @returns {number} how many there are */
  search(query) {
    this.query = query.toLocaleLowerCase();
    this.box.classList.toggle("is-searching", this.query !== "");
    let found = 0;
    for (const line of this.box.getElementsByClassName("log-line")) found += this.#mark(line);
    return found;
  }

  /** @param {boolean} following whether new lines move the view */
  follow(following) {
    this.following = following;
    if (following) this.toEnd();
    this.onfollow?.(following);
  }

  #fill(part, lines) {
    let chunk = part.lastElementChild;
    for (const line of lines) {
      if (!chunk || chunk.childElementCount >= LINES_PER_CHUNK) {
        chunk?.classList.add("is-full");
        chunk = document.createElement("div");
        chunk.className = "log-chunk";
        part.append(chunk);
      }
      if (line.attempt > this.attempts.get(part)) {
        this.attempts.set(part, line.attempt);
        chunk.append(this.#divider(line.attempt));
      }
      chunk.append(this.#element(line));
    }
    this.count += lines.length;
  }

  #element(line) {
    const element = document.createElement("div");
    element.className = `log-line level-${LEVELS.has(line.level) ? line.level : "INFO"}`;
    const time = document.createElement("time");
    time.textContent = this.clock.format(new Date(line.ts));
    const text = document.createElement("span");
    for (const piece of pieces(line.message)) text.append(pieceNode(piece));
    element.append(time, text);
    if (this.query) this.#mark(element);
    return element;
  }

  #divider(attempt) {
    const element = document.createElement("div");
    element.className = "log-line is-attempt";
    element.textContent = this.words.attemptLabel(attempt);
    return element;
  }

  #mark(line) {
    const isFound = this.query !== "" && line.lastChild.textContent.toLocaleLowerCase().includes(this.query);
    line.classList.toggle("is-found", isFound);
    return isFound ? 1 : 0;
  }

  /** A reader who scrolls up stops following, one who comes to the end follows again; a changed height is neither. */
  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.box;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PIXELS;
    const isScrolledUp = scrollTop < this.seenTop && scrollHeight >= this.seenHeight;
    this.seenTop = scrollTop;
    this.seenHeight = scrollHeight;
    const following = isAtEnd || (this.following && !isScrolledUp);
    if (following === this.following) return;
    this.following = following;
    this.onfollow?.(following);
  }
}

function pieceNode({ text, classes }) {
  if (!classes.length) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = classes.join(" ");
  span.textContent = text;
  return span;
}
