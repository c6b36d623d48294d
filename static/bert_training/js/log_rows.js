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
export function makeRow({ ts, level, message, divides, button }, { clock, words }) {
  if (button) return button;
  const row = document.createElement("div");
  if (divides) {
    row.className = "log-line is-attempt";
    row.textContent = words.attemptLabel(divides);
    return row;
  }
  row.className = `log-line level-${LEVELS[levelOf(level)]}`;
  const time = document.createElement("time");
  time.textContent = clock.format(new Date(ts));
  const text = document.createElement("span");
  for (const piece of pieces(message)) text.append(pieceNode(piece));
  row.append(time, text);
  return row;
}

function pieceNode({ text, classes }) {
  if (!classes.length) return document.createTextNode(text);
  const span = document.createElement("span");
  span.className = classes.join(" ");
  span.textContent = text;
  return span;
}
