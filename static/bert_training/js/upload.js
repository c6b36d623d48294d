/**
 * Checks and saves a spreadsheet without leaving the form: browsers forget a chosen file when a page is left, so the
 * same form is sent by fetch and only what the answer says of the file is shown; the page of what was saved is opened.
 * Without this script the form works all the same.
 */

const form = document.querySelector("#upload-form");
const report = document.querySelector("#upload-report");
const progress = document.querySelector("#upload-progress");
const DOWNLOADS = ["problems", "workbook"]; // answered with a file: the page stays as it is
const CREATED = 201;
const TOO_LARGE = 413;

/** @param {string} className @param {string} text */
function say(className, text) {
  progress.className = className;
  progress.textContent = text;
  progress.hidden = false;
}

/** @param {Document} page the upload page as it would be after this check */
function show(page) {
  const found = page.querySelector("#upload-report");
  if (!found) throw new Error("not the upload page");
  const errors = page.querySelectorAll("#upload-form .notice-error, #upload-form .errorlist");
  const mapping = document.querySelector("#upload-mapping");
  const known = page.querySelector("#upload-mapping");
  known.open ||= mapping.open;
  mapping.replaceWith(document.adoptNode(known));
  report.replaceChildren(...[...errors, ...found.childNodes].map((node) => document.adoptNode(node)));
}

/** @param {HTMLButtonElement} button */
async function send(button) {
  const body = new FormData(form, button);
  button.disabled = true;
  say("notice", form.dataset.checking);
  try {
    const response = await fetch(location.href, { method: "POST", body, headers: { "X-Requested-With": "fetch" } });
    if (response.status === CREATED) return location.assign(response.headers.get("Location"));
    if (response.status === TOO_LARGE) return say("notice notice-error", form.dataset.tooLarge);
    show(new DOMParser().parseFromString(await response.text(), "text/html"));
    progress.hidden = true;
    report.focus();
  } catch {
    say("notice notice-error", form.dataset.failed);
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", (event) => {
  const button = event.submitter ?? form.querySelector("button[value=send]");
  if (DOWNLOADS.includes(button.value)) return;
  event.preventDefault();
  send(button);
});
