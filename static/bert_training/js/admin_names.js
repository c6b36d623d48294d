/** Gives names to what Django's own scripts draw without one: the box of an autocomplete, and the help of two lists.
 * jQuery draws them some time after the page is there. */

/** @param {HTMLElement} box @returns {string} the words of the label of the list that an autocomplete stands for */
function labelOf(box) {
  const select = box.closest(".select2")?.previousElementSibling;
  return (select?.labels?.[0]?.textContent ?? "").trim().replace(/:$/, "");
}

/** Name what is there by now. */
function nameAll() {
  for (const box of document.querySelectorAll("span.select2-selection__rendered, .select2-search__field")) {
    box.setAttribute("aria-label", labelOf(box));
  }
  for (const tip of document.querySelectorAll("span.help-tooltip[aria-label]")) {
    tip.setAttribute("role", "img");
  }
}

nameAll();
new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
