/** The light/dark switch. The choice lives in a cookie, so that the server prints it and no page flashes. */

const YEAR_SECONDS = 365 * 24 * 60 * 60;
const root = document.documentElement;
const darkSystem = matchMedia("(prefers-color-scheme: dark)");

/** @returns {boolean} whether the page is dark now */
function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : darkSystem.matches;
}

/** @param {HTMLElement} button */
function label(button) {
  button.textContent = isDark() ? "☀" : "☾";
  button.title = isDark() ? button.dataset.labelLight : button.dataset.labelDark;
  button.setAttribute("aria-label", button.title);
}

for (const button of document.querySelectorAll("[data-theme-switch]")) {
  button.hidden = false;
  label(button);
  darkSystem.addEventListener("change", () => label(button));
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    root.dataset.theme = theme;
    document.cookie = `theme=${theme}; path=/; max-age=${YEAR_SECONDS}; SameSite=Lax`;
    localStorage.setItem("theme", theme); // the administration reads it there
    label(button);
    document.dispatchEvent(new CustomEvent("themechange"));
  });
}
