/**
 * Follows one run: frames {"logs", "metrics", "run"} over a websocket, and the same records over HTTP whenever the
 * socket has been silent, so that neither a lost connection nor a lost doorbell leaves a gap.
 * A record is handed on once: only those behind the last cursor count.
 */

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 20_000;
const ASK_EVERY_MS = 5_000;
const TRUSTED_SILENCE_MS = 30_000; // of an open socket: it speaks only when there is news
const PAGE_RECORDS = 500;
const SIGNED_OUT = 4401;
const GONE = 4404;

export class RunSocket {
  /**
   * @param {{socket: string, api: string}} addresses
   * @param {{logs: number, metrics: number}} after cursors that the page has already
   * @param {{records: (frame: object) => void, connection: (state: "live"|"asking"|"signedOut"|"gone") => void}} on
   */
  constructor(addresses, after, on) {
    this.addresses = addresses;
    this.after = after;
    this.on = on;
    this.retryMs = FIRST_RETRY_MS;
    this.heardAt = 0;
    this.timer = setInterval(() => this.#askIfSilent(), ASK_EVERY_MS);
    addEventListener("online", () => this.#askIfSilent());
    this.#connect();
  }

  #connect() {
    const url = new URL(this.addresses.socket, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    this.socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ after: this.after })));
    socket.addEventListener("message", (event) => {
      this.retryMs = FIRST_RETRY_MS;
      this.heardAt = Date.now();
      this.on.connection("live");
      this.#take(JSON.parse(event.data));
    });
    socket.addEventListener("close", (event) => this.#closed(event.code));
  }

  #closed(code) {
    if (code === SIGNED_OUT || code === GONE) {
      this.#end(code === SIGNED_OUT ? "signedOut" : "gone");
      return;
    }
    this.heardAt = 0;
    // Half of the wait is chance: after a restart of the portal not all pages come back in the same instant.
    setTimeout(() => this.#connect(), this.retryMs / 2 + Math.random() * (this.retryMs / 2));
    this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs * 2);
  }

  #end(state) {
    clearInterval(this.timer);
    this.isEnded = true;
    this.on.connection(state);
  }

  /** Hand on what is new in a frame. */
  #take(frame) {
    const logs = (frame.logs ?? []).filter((line) => line.cursor > this.after.logs);
    const metrics = (frame.metrics ?? []).filter((point) => point.cursor > this.after.metrics);
    if (logs.length) this.after.logs = logs.at(-1).cursor;
    if (metrics.length) this.after.metrics = metrics.at(-1).cursor;
    if (logs.length || metrics.length || frame.run) this.on.records({ logs, metrics, run: frame.run });
  }

  async #askIfSilent() {
    const silence = Date.now() - this.heardAt;
    const isOpen = this.socket.readyState === WebSocket.OPEN;
    if (this.isAsking || this.isEnded || silence < (isOpen ? TRUSTED_SILENCE_MS : ASK_EVERY_MS)) return;
    this.isAsking = true;
    try {
      await this.#ask();
    } catch {
      this.on.connection("asking"); // no network: the next round asks again
    } finally {
      this.isAsking = false;
    }
  }

  async #ask() {
    const { logs, metrics } = this.after;
    const [lines, points, run] = await Promise.all([
      this.#get(`/logs?after=${logs}&limit=${PAGE_RECORDS}`),
      this.#get(`/metrics?after=${metrics}&limit=${PAGE_RECORDS}`),
      this.#get(""),
    ]);
    if (!run) return;
    if (this.socket.readyState === WebSocket.OPEN) this.heardAt = Date.now();
    else this.on.connection("asking");
    this.#take({ logs: lines.lines, metrics: points.points, run });
    if (lines.lines.length === PAGE_RECORDS || points.points.length === PAGE_RECORDS) await this.#ask();
  }

  async #get(path) {
    const response = await fetch(this.addresses.api + path, { headers: { Accept: "application/json" } });
    if (response.status === 401 || response.status === 403) this.#end("signedOut");
    else if (response.status === 404) this.#end("gone");
    else if (response.ok) return response.json();
    else throw new Error(`status ${response.status}`);
    return null;
  }
}
