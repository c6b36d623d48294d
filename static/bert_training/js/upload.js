/**
 * Checks a spreadsheet without leaving the form: browsers forget a chosen file when a page is left, so the same form
 * is sent by fetch and only the report of the answer is shown. Without this script the form works all the same.
 */

const form = document.querySelector("#upload-form");
const report = document.querySelector("#upload-report");

/** @param {string} className @param {string} text */
function say(className, text) {
  const notice = document.createElement("p");
  notice.className = className;
  notice.textContent = text;
  report.replaceChildren(notice);
}

/** @param {HTMLButtonElement} button */
async function check(button) {
  const body = new FormData(form, button);
  button.disabled = true;
  say("notice", form.dataset.checking);
  try {
    const response = await fetch(location.href, { method: "POST", body });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.querySelector("#upload-report");
    const errors = page.querySelectorAll("#upload-form .notice-error, #upload-form .errorlist");
    if (!found) throw new Error("not the upload page");
    // Where a column is missing the server opens the part of the form in which it can be named.
    form.querySelector("details").open ||= page.querySelector("#upload-form details").open;
    report.replaceChildren(...[...errors, ...found.childNodes].map((node) => document.adoptNode(node)));
  } catch {
    say("notice notice-error", form.dataset.failed);
  } finally {
    button.disabled = false;
    report.focus();
  }
}

form.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (button?.value === "check") {
    event.preventDefault();
    check(button);
    return;
  }
  // Not disabled: a disabled button would not send its value.
  button?.setAttribute("aria-disabled", "true");
  say("notice", form.dataset.checking);
});
