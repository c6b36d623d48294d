/** Fetches the points of the charts that did not come with the page, in large pages: 20,000 in four answers. */

const PAGE_RECORDS = 5_000;

/**
 * @param {string} api address of the run
 * @param {number} after cursor of the newest point that is there
 * @param {(points: object[]) => void} take
 * @returns {Promise<number>} the cursor of the newest one now; without a connection the live view fetches the rest
 */
export async function loadPoints(api, after, take) {
  for (;;) {
    const address = `${api}/metrics?after=${after}&limit=${PAGE_RECORDS}`;
    const response = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!response?.ok) return after;
    const { points } = await response.json();
    take(points);
    if (points.length) after = points.at(-1).cursor;
    if (points.length < PAGE_RECORDS) return after;
  }
}
