/** Gives names to what Django's own scripts draw without one: the box of an autocomplete, and the help of two lists.
 * Both are drawn until the page has loaded, by listeners that were there before this one. */

/** @param {HTMLElement} box @returns {string} the words of the label of the list that an autocomplete stands for */
function labelOf(box) {
  const select = box.closest(".select2")?.previousElementSibling;
  return (select?.labels?.[0]?.textContent ?? "").trim().replace(/:$/, "");
}

addEventListener("load", () => {
  for (const box of document.querySelectorAll("span.select2-selection__rendered, .select2-search__field")) {
    box.setAttribute("aria-label", labelOf(box));
  }
  for (const tip of document.querySelectorAll("span.help-tooltip[aria-label]")) {
    tip.setAttribute("role", "img");
  }
});
