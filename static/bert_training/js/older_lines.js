/**
 * Fetches the lines before those that came with the page, from the first one on, in pages, without holding up anything.
 * A short log is completed by itself; a very long one waits for a click.
 */

const PAGE_RECORDS = 2_000; // 50,000 lines in 25 answers
const BY_ITSELF_PAGES = 25;

/**
 * @param {string} api address of the run
 * @param {number} before cursor of the newest line that is missing; 0 = none is
 * @param {(lines: object[]) => void} take
 * @param {(load: () => Promise<void>) => void} offer called when the rest waits for a click
 */
export async function loadOlderLines(api, before, take, offer) {
  let after = 0;
  async function load(pages) {
    for (let page = 0; page < pages && after < before; page += 1) {
      const address = `${api}/logs?after=${after}&limit=${PAGE_RECORDS}`;
      const response = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
      if (!response?.ok) break; // also without a connection: the rest is offered
      const { lines } = await response.json();
      const missing = lines.filter((line) => line.cursor <= before);
      take(missing);
      after = missing.length < lines.length || !lines.length ? before : lines.at(-1).cursor;
    }
    if (after < before) offer(() => load(BY_ITSELF_PAGES));
  }
  await load(BY_ITSELF_PAGES);
}
