/** Draws how long the phases of an attempt took: a bar of them, and each with its time, as runs/_phases.html prints. */

const WIDTH = 100; // of the picture, in its own units

/** @param {HTMLElement} place marked data-phases @param {{phase: string, seconds: number, text: string}[]} phases */
export function showPhases(place, phases) {
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0) || 1;
  let from = 0;
  const bars = phases.map(({ phase, seconds, text }) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const width = (WIDTH * seconds) / total;
    for (const [name, value] of Object.entries({ x: from, y: 0, width, height: 8, class: `phase-${phase}` })) bar.setAttribute(name, value);
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = text;
    bar.append(title);
    from += width;
    return bar;
  });
  place.querySelector("svg").replaceChildren(...bars);
  place.querySelector("ul").replaceChildren(...phases.map(listed));
}

function listed({ phase, text }) {
  const item = document.createElement("li");
  const swatch = document.createElement("span");
  swatch.className = `phase-swatch phase-${phase}`;
  item.append(swatch, text);
  return item;
}
