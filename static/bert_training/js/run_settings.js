/**
 * The form of a new run: a preset fills it in place, so that name and base model stay; what differs is marked.
 * Works on [data-run-form] with #preset-texts: {preset: {field: text, or true and false for a box}}.
 */

const form = document.querySelector("[data-run-form]");
const texts = JSON.parse(document.getElementById("preset-texts")?.textContent ?? "{}");

/** Write a preset's values into the fields. */
function fill(name) {
  for (const [field, value] of Object.entries(texts[name])) {
    const control = form.elements[field];
    if (typeof value === "boolean") control.checked = value;
    else control.value = value;
  }
  form.elements.preset.value = name;
  for (const choice of form.querySelectorAll("[data-preset]")) {
    if (choice.dataset.preset === name) choice.setAttribute("aria-current", "true");
    else choice.removeAttribute("aria-current");
  }
}

/** 0,00002 and 0.00002 and 2e-5 are the same value. */
function meaning(text) {
  const number = Number(text.trim().replace(",", ".") || NaN);
  return Number.isNaN(number) ? text.trim() : number;
}

function isChanged(control, usual) {
  return typeof usual === "boolean" ? control.checked !== usual : meaning(control.value) !== meaning(usual);
}

/** Mark the fields that differ from the chosen preset, count them, and say how many texts a step sees. */
function mark() {
  const usual = texts[form.elements.preset.value];
  for (const setting of form.querySelectorAll("[data-setting]")) {
    const name = setting.dataset.setting;
    setting.classList.toggle("is-changed", isChanged(form.elements[name], usual[name]));
  }
  for (const group of form.querySelectorAll("[data-group]")) {
    const count = group.querySelectorAll(".is-changed").length;
    const words = group.querySelector("[data-changed-count]");
    words.textContent = count ? words.dataset.words.replace("%(count)s", count) : "";
  }
  const batch = Number(form.elements.batch_size.value) * Number(form.elements.gradient_accumulation_steps.value);
  const counts = batch > 0 && Number.isInteger(batch) && !form.elements.batch_tokens.value.trim();
  form.querySelector("[data-effective-batch]").textContent = counts ? batch : "–";
}

if (form) {
  form.addEventListener("input", mark);
  form.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-preset]");
    if (!choice || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    fill(choice.dataset.preset);
    mark();
  });
  addEventListener("pageshow", mark); // a browser that goes back restores what was typed
}
