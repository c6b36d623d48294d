/**
 * Lets people sort tables marked data-sort: each heading becomes a button, aria-sort says the order.
 * A cell sorts by its data-value where it has one, else by its text in the page's language.
 */

const inOrder = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });

/** Put buttons into the headings of every sortable table that has none yet. */
function prepareTables() {
  for (const heading of document.querySelectorAll("table[data-sort] thead th:not(:has(button))")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort-button";
    button.append(...heading.childNodes);
    heading.append(button);
  }
}

/** @param {HTMLTableCellElement} heading */
function sortBy(heading) {
  const table = heading.closest("table");
  const direction = heading.ariaSort === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
  heading.ariaSort = direction;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows];
  rows.sort((first, second) => sign * compare(first.cells[heading.cellIndex], second.cells[heading.cellIndex]));
  table.tBodies[0].append(...rows);
}

function compare(first, second) {
  const numbers = [Number(first.dataset.value ?? NaN), Number(second.dataset.value ?? NaN)];
  if (numbers.every(Number.isFinite)) return numbers[0] - numbers[1];
  return inOrder.compare(first.textContent.trim(), second.textContent.trim());
}

document.addEventListener("click", (event) => {
  const heading = event.target.closest("table[data-sort] thead th");
  if (heading && event.target.closest("button")) sortBy(heading);
});
document.addEventListener("parts-refreshed", prepareTables);
prepareTables();
