/**
 * Copies the text of an element: <button hidden data-copy="id" data-copied="said when done">.
 * The button shows itself where the browser lets pages copy; elsewhere the text can be marked by hand.
 */

const SAID_FOR_MS = 2000;

/** @param {HTMLButtonElement} button */
async function copyText(button) {
  const text = document.getElementById(button.dataset.copy);
  if (!text) return;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text); // not allowed after all: one key is left to press
    return;
  }
  button.textContent = button.dataset.copied;
  button.disabled = true;
  setTimeout(() => {
    button.textContent = label;
    button.disabled = false;
  }, SAID_FOR_MS);
}

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copyText(button));
  }
}
