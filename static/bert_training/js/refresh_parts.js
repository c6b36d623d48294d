/**
 * Keeps parts of a page fresh: fetches the page again and replaces each element marked data-refresh="name".
 * An element with data-refresh-seconds asks for that by itself, until the server leaves the attribute out.
 * The answer to a form names with data-refresh-from the page that shows the same parts.
 */

const parser = new DOMParser();
let isWaiting = false;

/** Fetch this page and replace its marked parts. @returns {Promise<boolean>} whether the server answered with the page */
export async function refreshParts() {
  let response;
  try {
    const source = document.querySelector("[data-refresh-from]");
    response = await fetch(source?.dataset.refreshFrom ?? location.href, { headers: { Accept: "text/html" }, redirect: "error" });
  } catch {
    return false;
  }
  if (!response.ok) return false;
  const fresh = parser.parseFromString(await response.text(), "text/html");
  for (const part of document.querySelectorAll("[data-refresh]")) replacePart(part, fresh);
  document.dispatchEvent(new Event("parts-refreshed"));
  keepFresh(); // a part may have begun to ask for it
  return true;
}

/**
 * Opened details stay open, the focused part stays in place.
 * @param {HTMLElement} part @param {Document} fresh
 */
function replacePart(part, fresh) {
  const newer = fresh.querySelector(`[data-refresh="${CSS.escape(part.dataset.refresh)}"]`);
  if (!newer || part.contains(document.activeElement)) return;
  const opened = [...part.querySelectorAll("details")].map((details) => details.open);
  newer.querySelectorAll("details").forEach((details, place) => (details.open = opened[place] ?? details.open));
  part.replaceWith(document.adoptNode(newer));
}

function wantedSeconds() {
  const marked = [...document.querySelectorAll("[data-refresh-seconds]")];
  return Math.min(...marked.map((part) => Number(part.dataset.refreshSeconds)));
}

async function keepFresh() {
  const seconds = wantedSeconds();
  if (isWaiting || !Number.isFinite(seconds)) return;
  isWaiting = true;
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  isWaiting = false;
  if (!document.hidden) await refreshParts();
  keepFresh();
}

keepFresh();
