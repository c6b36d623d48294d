/** The run page: joins the live connection with state, log and charts. */

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
  const found = log.search(query);
  element("log-found").textContent = query ? words.found.replace("{count}", found.toLocaleString(lang)) : "";
}

function showCount(log) {
  const several = words.lines.replace("{count}", log.count.toLocaleString(lang));
  element("log-count").textContent = log.count > 1 ? several : log.count ? words.oneLine : "";
}

function offerOlder(log, load) {
  const button = document.createElement("button");
  button.className = "button";
  button.type = "button";
  button.textContent = words.loadOlder;
  button.addEventListener("click", () => {
    log.withdraw();
    load();
  });
  log.offer(button);
}

const log = makeLog();
const charts = new RunCharts(data, { charts: element("charts"), empty: element("charts-empty"), hardware: element("hardware") }, lang);
const state = new RunState(element("run-state"), { ...words, lang });

function append({ logs, metrics, run }) {
  if (run) charts.show(run);
  if (logs.length) {
    log.append(logs);
    showCount(log);
  }
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

if (data.logsBefore) {
  loadOlderLines(data.api, data.logsBefore, (lines) => {
    log.appendOlder(lines);
    showCount(log);
  }, (load) => offerOlder(log, load));
}

const after = { logs: data.logs.at(-1)?.cursor ?? 0, metrics: data.metrics.at(-1)?.cursor ?? 0 };
new RunSocket(data, after, { records: take, connection: (kind) => state.showConnection(kind) });
