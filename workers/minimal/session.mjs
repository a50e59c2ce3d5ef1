// One session: its heartbeats, its lease, and its decisions about assignments.
import { Attempt, keyOf, readAssignment } from './attempt.mjs';
import { Credits, termFields } from './credits.mjs';
import { Subscription } from './nats.mjs';
import { aborted, Release, released } from './outcomes.mjs';
import { bytes, durationMs, nested, number, read } from './protobuf.mjs';
import { Reports } from './reports.mjs';

const FENCE_MARGIN_MS = 2_000;
const FENCE_SHARE = 2 / 15;
const CANCEL_MEMORY_MS = 15_000;
const MAX_HELD = 10_000;
const MAX_BEATS_IN_FLIGHT = 4;
const MIN_GAP_MS = 60;
const OFFER_MS = 100;
const WATCH_MS = 50;
const now = () => performance.now();

/** Runs until it is lost or drained, then calls `over(isLost)` once. */
export class Session {
  #worker;
  #over;
  #id;
  #beatMs;
  #validMs;
  #fenceAt;
  #maxPayload;
  #held = new Map();
  #cancels = new Map();
  #credits = new Credits();
  #reports;
  #bus;
  #access;
  #echo = 0;
  #gotPing = false;
  #busIsDown = false;
  #isFenced = false;
  #isClosed = false;
  #inFlight = 0;
  #nextBeat = 0;
  #lastBeat = 0;
  #watch;

  /** `opened` is an OpenSessionResponse, `openedAt` when its request was sent. */
  constructor(worker, opened, openedAt, over) {
    const lease = durationMs(opened, 3, 15_000);
    this.#worker = worker;
    this.#over = over;
    this.#id = Buffer.from(opened.bytes(1));
    this.#beatMs = durationMs(opened, 2, 5_000);
    this.#validMs = lease - Math.min(FENCE_MARGIN_MS, lease * FENCE_SHARE);
    this.#fenceAt = openedAt + this.#validMs;
    this.#maxPayload = opened.number(7);
    this.#access = read(opened.bytes(6));
    this.#reports = new Reports({
      send: (reports) => this.#send(reports),
      acknowledged: (held) => this.#acknowledged(held),
      lost: () => this.close(true),
    });
    this.#bus = this.#subscribe(opened);
    this.#watch = setInterval(() => this.#poll(), WATCH_MS);
    this.#beat();
  }

  /** Accepts nothing more, and ends once nothing is held. */
  drain() {
    this.#credits.voidAll();
    this.#beatWithin(0);
    this.#endIfDrained();
  }

  /** A handler has returned, possibly one of an earlier session. */
  slotFreed() {
    this.#beatWithin(OFFER_MS);
  }

  /** Ends the session on this side. */
  close(isLost) {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#bus.close();
    this.#reports.close();
    for (const held of this.#held.values()) held.stop('lease_lost');
    this.#over(isLost, this.#id);
  }

  #subscribe(opened) {
    const access = () => ({ jwt: this.#access.text(1), seed: this.#access.text(2) });
    return new Subscription({
      urls: opened.all(4).map(String),
      subject: opened.text(5),
      credentials: access,
      onUp: () => this.#busChanged(),
      onDown: () => this.#busChanged(),
      onMessage: (message) => this.#receive(read(message)),
    });
  }

  /** Assignments may be lost with a connection, so its credits are voided. */
  #busChanged() {
    this.#gotPing = false;
    this.#credits.voidAll();
    this.#beatWithin(0);
  }

  #receive(message) {
    if (this.#isClosed) return;
    this.#take(message.all(1), message.all(2));
    this.#echo = Math.max(this.#echo, message.number(3));
    if (this.#gotPing || !message.has(3)) return;
    this.#gotPing = true;
    this.#credits.voidAll();
    this.#beatWithin(0);
  }

  #beatWithin(ms) {
    this.#nextBeat = Math.min(this.#nextBeat, Math.max(now() + ms, this.#lastBeat + MIN_GAP_MS));
  }

  /** Called periodically: beats when it is due, and stops handlers when the lease can't be proved. */
  #poll() {
    if (now() >= this.#fenceAt) this.#fall();
    if (now() >= this.#nextBeat && this.#inFlight < MAX_BEATS_IN_FLIGHT) this.#beat();
  }

  async #beat() {
    const sentAt = now();
    this.#lastBeat = sentAt;
    this.#nextBeat = sentAt + this.#beatMs * (1 - 0.1 * Math.random());
    this.#credits.voidAging(sentAt);
    const terms = this.#terms(sentAt);
    const request = [bytes(1, this.#id), ...this.#heldFields(), ...termFields(terms), number(6, this.#echo)];
    this.#inFlight++;
    try {
      const timeout = Math.ceil(this.#beatMs);
      const answer = read(
        await this.#worker.call('SendHeartbeat', [...request, number(7, this.#worker.isDraining)], timeout),
      );
      this.#credits.settle(terms, true);
      if (!this.#isClosed) this.#answered(sentAt, answer);
    } catch (error) {
      this.#credits.settle(terms, false);
      if (error.reason === 'LEASE_LOST') this.close(true);
      else this.#beatWithin(1_000 * Math.random());
    } finally {
      this.#inFlight--;
    }
  }

  #heldFields() {
    return [...this.#held.values()].map((held) =>
      nested(2, bytes(1, held.jobId), number(2, held.attempt), number(3, held.started)),
    );
  }

  #terms(at) {
    const reachable = this.#echo > 0 || this.#busIsDown;
    const may = reachable && !this.#worker.isDraining && at < this.#fenceAt && this.#held.size < MAX_HELD;
    return this.#credits.terms(at, may ? this.#worker.freeSlots : 0);
  }

  #answered(sentAt, answer) {
    this.#fenceAt = Math.max(this.#fenceAt, sentAt + this.#validMs);
    if (now() < this.#fenceAt) this.#isFenced = false;
    const nextMs = durationMs(answer, 5, this.#beatMs);
    this.#busIsDown = nextMs < this.#beatMs;
    this.#beatWithin(nextMs);
    if (answer.has(6)) this.#access = read(Buffer.from(answer.bytes(6)));
    if (answer.number(4) === 1) this.#bus.reconnect();
    if (answer.number(3) === 1) this.#worker.drain();
    if (!this.#isClosed) this.#take(answer.all(1), answer.all(2));
  }

  /** Cancels go first, so that a cancel in the same message as its assignment keeps it from starting. */
  #take(assignments, cancels) {
    for (const notice of cancels.map(read)) {
      const key = keyOf({ jobId: Buffer.from(notice.bytes(1)), attempt: notice.number(2) });
      if (this.#held.has(key)) this.#held.get(key).stop('cancelled');
      else this.#rememberCancel(key);
    }
    for (const message of assignments) this.#judge(readAssignment(message));
  }

  #rememberCancel(key) {
    for (const [one, until] of this.#cancels) if (now() >= until) this.#cancels.delete(one);
    this.#cancels.set(key, now() + CANCEL_MEMORY_MS);
  }

  /** The five rules of "Looking at an assignment". */
  #judge(assignment) {
    const key = keyOf(assignment);
    const credit = this.#credits.live(assignment.creditId, now());
    if (this.#held.has(key) || credit?.seen.has(key)) return;
    if (now() >= this.#fenceAt || this.#held.size >= MAX_HELD) return;
    const held = new Attempt(assignment);
    const isUnspent = (credit?.left ?? 0) > 0 && !assignment.isPrefetch;
    this.#held.set(key, held);
    credit?.seen.add(key);
    if (isUnspent) credit.left--;
    const reason = this.#whyNot(assignment, key, isUnspent);
    if (reason) this.#reports.add(held, released(reason));
    else this.#start(held, assignment);
  }

  /** The reason for a release; undefined: the assignment is accepted. */
  #whyNot({ handler }, key, isUnspent) {
    if (now() < (this.#cancels.get(key) ?? 0)) return Release.CANCELLED;
    if (this.#worker.isDraining) return Release.DRAIN;
    if (!this.#worker.handlers[handler]) return Release.UNSUPPORTED;
    if (!isUnspent) return Release.DEAD_CREDIT;
    return this.#worker.freeSlots > 0 ? undefined : Release.NO_SLOT;
  }

  #start(held, assignment) {
    const end = (outcome) => {
      if (held.outcome === undefined && !this.#isClosed) this.#reports.add(held, outcome);
    };
    this.#worker.occupy(held.run(this.#worker.handlers[assignment.handler], assignment, this.#maxPayload, end));
  }

  /** The lease can't be proved: handlers stop, and the session continues to beat. */
  #fall() {
    if (this.#isFenced) return;
    this.#isFenced = true;
    this.#credits.voidAll();
    for (const held of this.#held.values()) {
      if (held.outcome !== undefined || held.continues) continue;
      held.stop('lease_lost');
      this.#reports.add(held, aborted());
    }
  }

  /** The call that reports ended attempts also grants the slots that they free. */
  async #send(reports) {
    const terms = this.#terms(now());
    try {
      const fields = [bytes(1, this.#id), ...reports, ...termFields(terms)];
      const answer = await this.#worker.call('ReportAttempts', fields, 10_000);
      this.#credits.settle(terms, true);
      return answer;
    } catch (error) {
      this.#credits.settle(terms, false);
      throw error;
    }
  }

  #acknowledged(held) {
    this.#held.delete(keyOf(held));
    this.#endIfDrained();
  }

  #endIfDrained() {
    if (this.#worker.isDraining && this.#held.size === 0) this.close(false);
  }
}
