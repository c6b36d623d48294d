/** The run page: joins the live connection with state, log and charts. */

import { loadPoints } from "./all_points.js";
import { lineOf } from "./log_rows.js";
import { LogView } from "./log_view.js";
import { loadOlderLines } from "./older_lines.js";
import { refreshParts } from "./refresh_parts.js";
import { RunCharts } from "./run_charts.js";
import { RunSocket } from "./run_socket.js";
import { RunState } from "./run_state.js";

const REFRESH_AFTER_MS = 5_000;
const SEARCH_AFTER_MS = 150; // 100,000 lines take 300 ms: not at every key

const data = JSON.parse(document.querySelector("#run-data").textContent);
const { words } = data;
const lang = document.documentElement.lang;
const element = (id) => document.getElementById(id);
let waiting;

function makeLog() {
  const attemptLabel = (number) => words.attempt.replace("{number}", number);
  const log = new LogView(element("log"), { lang, timeZone: words.timeZone, attemptLabel });
  const follow = element("log-follow");
  log.onfollow = (following) => (follow.checked = following);
  follow.addEventListener("change", () => log.follow(follow.checked));
  element("log-level").addEventListener("change", (event) => log.showLevel(event.target.value));
  let typing;
  element("log-search").addEventListener("input", (event) => {
    clearTimeout(typing);
    typing = setTimeout(() => showFound(log, event.target.value), SEARCH_AFTER_MS);
  });
  element("log-tools").hidden = false;
  return log;
}

function showFound(log, query) {
  const found = log.search(query).toLocaleString(lang);
  const isWhole = lines <= log.held;
  const text = (isWhole ? words.found : words.foundHere).replace("{count}", found).replace("{lines}", log.held.toLocaleString(lang));
  element("log-found").textContent = query ? text : "";
}

/** The portal counts the lines of a run; those that are here may be fewer. */
function showCount() {
  const several = words.lines.replace("{count}", lines.toLocaleString(lang));
  element("log-count").textContent = lines > 1 ? several : lines ? words.oneLine : "";
}

function offerOlder(log, load) {
  const button = document.createElement("button");
  button.className = "button";
  button.type = "button";
  button.textContent = words.loadOlder;
  button.addEventListener("click", () => {
    log.withdraw();
    fill(load);
  });
  log.offer(button);
}

/** Show the line that the address names, without what hides it. */
function goToLine() {
  const cursor = lineOf(location.hash);
  if (!cursor || log.target === cursor || !log.has(cursor)) return;
  for (const id of ["log-search", "log-level"]) element(id).value = "";
  log.showLevel("");
  showFound(log, "");
  log.go(cursor);
  element("log").scrollIntoView({ block: "center" });
}

function loadOlder(before) {
  return loadOlderLines(data.api, before, takeOlder, (load) => offerOlder(log, load));
}

/** Lines before the others come in: none is forgotten meanwhile. */
async function fill(load) {
  log.isFilling = true;
  await load();
  log.isFilling = false;
}

function takeOlder(older) {
  log.appendOlder(older);
  goToLine();
}

let lines = 0;
const log = makeLog();
const charts = new RunCharts(data, { charts: element("charts"), empty: element("charts-empty"), hardware: element("hardware") }, lang);
const state = new RunState(element("run-state"), { ...words, lang });

function append({ logs, metrics, run }) {
  if (run) charts.show(run);
  if (logs.length) log.append(logs);
  lines = Math.max(lines, run?.progress?.log_lines ?? 0);
  showCount();
  charts.append(metrics);
}

/** Refresh what the server prints; an answer that does not come is asked for again. */
async function refresh() {
  clearTimeout(waiting);
  waiting = undefined;
  if (!(await refreshParts())) refreshSoon();
}

function refreshSoon() {
  waiting ??= setTimeout(refresh, REFRESH_AFTER_MS);
}

function take({ logs, metrics, run }) {
  append({ logs, metrics, run });
  if (run && state.show(run)) refresh();
  // A finished epoch adds a row to the table behind the charts; epochs may be short.
  else if (metrics.some((point) => point.split === "validation")) refreshSoon();
}

if (data.logs.length && data.logsBefore) log.beginAt(data.logs[0].attempt);
append({ logs: data.logs, metrics: data.metrics, run: data.state });
state.show(data.state);

addEventListener("hashchange", () => {
  log.target = undefined;
  goToLine();
});
log.onTrim = (before) => offerOlder(log, () => loadOlder(before));
goToLine();

const logs = data.logs.at(-1)?.cursor ?? 0;
const newest = data.metrics.at(-1)?.cursor ?? 0;
const metrics = data.metricsLeft ? await loadPoints(data.api, newest, (points) => charts.append(points)) : newest;
if (data.logsBefore) fill(() => loadOlder(data.logsBefore)); // the picture first: it is what is looked at
new RunSocket(data, { logs, metrics }, { records: take, connection: (kind) => state.showConnection(kind) });
