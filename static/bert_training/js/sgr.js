/** Colours of terminal output: turns SGR codes (ESC [ ... m) into classes; every other escape is dropped. */

const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
const STYLES = { 1: "bold", 2: "dim", 3: "italic", 4: "underline" };
// SGR sequences split the text; other CSI, OSC and two-byte escapes match without a group and vanish.
// biome-ignore lint: control characters are what this is about
const ESCAPES = /\u001b\[([0-9;:]*)m|\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]?/g;

/**
 * @param {string} text one line as the worker sent it
 * @returns {{text: string, classes: string[]}[]} pieces in order; joined they are the line without escapes
 */
export function pieces(text) {
  if (!text.includes("\u001b")) return [{ text, classes: [] }];
  const found = [];
  let classes = [];
  let end = 0;
  for (const match of text.matchAll(ESCAPES)) {
    if (match.index > end) found.push({ text: text.slice(end, match.index), classes });
    if (match[1] !== undefined) classes = applied(classes, match[1]);
    end = match.index + match[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), classes });
  return found;
}

/** @param {string[]} classes in force @param {string} codes of one sequence, "1;31" @returns {string[]} */
function applied(classes, codes) {
  const isColour = (name) => COLOURS.includes(name.slice("sgr-".length));
  const numbers = codes.split(/[;:]/).map(Number);
  let result = classes;
  for (let place = 0; place < numbers.length; place += 1) {
    const code = numbers[place];
    if (code === 0) result = [];
    else if (STYLES[code]) result = [...result, `sgr-${STYLES[code]}`];
    else if (code === 22) result = result.filter((name) => name !== "sgr-bold" && name !== "sgr-dim");
    else if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) {
      result = result.filter((name) => !isColour(name));
      const colour = COLOURS[code % 10];
      if (code !== 38 && code !== 39 && colour) result = [...result, `sgr-${colour}`];
    }
    // 38;5;n and 38;2;r;g;b name colours that no theme knows: their numbers must not be read as codes.
    if (code === 38 || code === 48) place += numbers[place + 1] === 5 ? 2 : 4;
  }
  return result;
}
