/** Shows the state of a run: badge, phase, progress, remaining time, connection. States come as services.run_state made them. */

import { showPhases } from "./phase_bar.js";

const BADGE = /\bbadge-(queued|running|completed|failed|canceled)\b/;
const ENDED = new Set(["completed", "failed", "canceled"]);
const SAID_AFTER_MS = 15_000; // a short reconnect is nobody's business
const DAY_SECONDS = 86_400;
const TIME = { hour: "2-digit", minute: "2-digit" };
const DAY_AND_TIME = { ...TIME, day: "2-digit", month: "2-digit" };

export class RunState {
  /** @param {HTMLElement} box @param {Record<string, string>} words */
  constructor(box, words) {
    this.words = words;
    this.page = box.ownerDocument;
    this.parts = Object.fromEntries([...box.querySelectorAll("[data-state]")].map((part) => [part.dataset.state, part]));
  }

  /** @param {object} run @returns {boolean} whether the page needs other parts: the run began, ended, changed hands or was proved */
  show(run) {
    const { parts } = this;
    const progress = run.progress ?? {};
    const isFinished = ENDED.has(run.status);
    parts.status.className = parts.status.className.replace(BADGE, `badge-${run.status}`);
    setText(parts.status, this.words.statuses[run.status]);
    parts.silent.hidden = !run.silent;
    setText(parts.silent, run.silent_label ?? "");
    parts.canceling.hidden = !run.canceling;
    setText(parts.phase, run.status === "running" ? (progress.phase_label ?? "") : "");
    setText(parts.steps, this.#steps(progress));
    setText(parts.remaining, isFinished || run.silent ? "" : this.#remaining(progress.eta_seconds));
    parts.bar.value = progress.fraction ?? 0;
    this.#showPhases(run.attempts ?? []);
    const turn = JSON.stringify([run.status, run.canceling, Boolean(run.silent), run.proof, (run.attempts ?? []).map(({ outcome, origin }) => [outcome, origin])]);
    const isTurned = this.turn !== undefined && this.turn !== turn;
    this.turn = turn;
    return isTurned;
  }

  /** Each attempt's row says how long its phases took; rows come with the page, their times with every frame. */
  #showPhases(attempts) {
    for (const { number, phases } of attempts) {
      const place = this.page.querySelector(`[data-phases="${number}"]`);
      if (place && phases.length) showPhases(place, phases);
    }
  }

  /** @param {"live"|"asking"|"signedOut"|"gone"} kind */
  showConnection(kind) {
    if (kind === "asking") {
      this.timer ??= setTimeout(() => this.#say(this.words.reconnecting), SAID_AFTER_MS);
      return;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    this.parts.signIn.hidden = kind !== "signedOut";
    this.#say(kind === "live" ? "" : this.words[kind]);
  }

  #say(text) {
    setText(this.parts.connectionText, text);
    this.parts.connection.hidden = !text;
  }

  #steps({ epoch, step, total_steps: total }) {
    if (!total) return "";
    const number = (value) => value.toLocaleString(this.words.lang);
    return this.words.steps.replace("{epoch}", number(epoch)).replace("{step}", number(step)).replace("{total}", number(total));
  }

  #remaining(seconds) {
    if (seconds == null) return "";
    if (seconds < 60) return this.words.remainingSeconds;
    const { lang, remainingMinutes, timeZone } = this.words;
    const form = { ...(seconds < DAY_SECONDS ? TIME : DAY_AND_TIME), timeZone }; // as all other times of the page
    const end = new Date(Date.now() + seconds * 1000).toLocaleString(lang, form);
    return remainingMinutes.replace("{minutes}", Math.ceil(seconds / 60).toLocaleString(lang)).replace("{time}", end);
  }
}

/** Unchanged text is left alone: screen readers would say it again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
