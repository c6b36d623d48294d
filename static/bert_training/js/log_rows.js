/** Makes the rows of the log: a line with its time and colours, a divider before a new attempt, a button. */

import { pieces } from "./sgr.js";

export const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"];

/** @returns {number} the place of a level among LEVELS; an unknown one counts as INFO */
export function levelOf(level) {
  const place = LEVELS.indexOf(level);
  return place < 0 ? LEVELS.indexOf("INFO") : place;
}

/** @returns {string} a message without its colours */
export function plainText(message) {
  return message.includes("\x1b") ? pieces(message).map(({ text }) => text).join("") : message;
}

/**
 * @param {{ts: string, level: string, message: string} | {divides: number} | {button: HTMLElement}} entry
 * @param {{clock: Intl.DateTimeFormat, words: {attemptLabel: (number: number) => string}}} view
 * @returns {HTMLElement}
 */
export function makeRow({ cursor, ts, level, message, divides, button }, { clock, words, query, target }) {
  if (button) return button;
  const row = document.createElement("div");
  if (divides) {
    row.className = "log-line is-attempt";
    row.textContent = words.attemptLabel(divides);
    return row;
  }
  row.className = `log-line level-${LEVELS[levelOf(level)]}`;
  row.classList.toggle("is-target", cursor === target);
  const text = document.createElement("span");
  for (const piece of pieces(message)) text.append(pieceNode(piece));
  if (query) markHits(text, query);
  row.append(timeLink(cursor, clock.format(new Date(ts))), text);
  return row;
}

/** The time of a line leads to the line itself: a place that can be shown to others. */
function timeLink(cursor, text) {
  const link = document.createElement("a");
  const time = document.createElement("time");
  link.href = `#${lineName(cursor)}`;
  link.tabIndex = -1; // 2,000 of them: the log itself is one stop of the keyboard
  time.textContent = text;
  link.append(time);
  return link;
}

/** @param {number} cursor @returns {string} the part of an address that names a line */
export function lineName(cursor) {
  return `line-${cursor}`;
}

/** @param {string} hash of an address @returns {number|null} the line that it names */
export function lineOf(hash) {
  const found = /^#line-(\d{1,18})$/.exec(hash);
  return found && Number(found[1]);
}

function markHits(element, query) {
  for (const node of [...element.childNodes]) {
    if (node.nodeType !== Node.TEXT_NODE) markHits(node, query);
    else markText(node, query);
  }
}

function markText(node, query) {
  const at = node.data.toLocaleLowerCase().indexOf(query);
  if (at < 0 || !query) return;
  const hit = node.splitText(at);
  const rest = hit.splitText(Math.min(query.length, hit.length));
  const mark = document.createElement("mark");
  hit.replaceWith(mark);
  mark.append(hit);
  markText(rest, query);
}

function pieceNode({ text, classes }) {
  if (!classes.length) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = classes.join(" ");
  span.textContent = text;
  return span;
}
