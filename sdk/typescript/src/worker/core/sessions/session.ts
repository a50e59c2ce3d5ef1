/** One session of the worker: its heartbeats, its subscription, its credits, and the attempts that it holds. */

import { durationToMs } from '../../../duration.ts';
import { Code } from '../../../error.ts';
import type { Progress } from '../../../gen/muster/v1/job_pb.ts';
import type { Payload } from '../../../gen/muster/v1/payload_pb.ts';
import type { SessionMessage } from '../../../gen/muster/worker/v1/assignment_pb.ts';
import { ReleaseReason } from '../../../gen/muster/worker/v1/attempt_report_pb.ts';
import type { OpenSessionResponse, SendHeartbeatResponse } from '../../../gen/muster/worker/v1/session_service_pb.ts';
import { Alarm } from '../base/alarm.ts';
import { type CallFailure, isLeaseLost } from '../base/call-failure.ts';
import { OFFER_DELAY, PROGRESS_DELAY, RECONNECT_SPREAD } from '../base/limits.ts';
import type { CorePorts, HandlerOutcome, StopReason } from '../base/ports.ts';
import { Attempts } from '../dispatch/attempts.ts';
import { Cancels } from '../dispatch/cancels.ts';
import { Credits } from '../dispatch/credits.ts';
import { Grants } from '../dispatch/grants.ts';
import { type Execution, type Held, HeldList } from '../dispatch/held.ts';
import { type Beat, Beats } from './beats.ts';
import { BusLink } from './bus-link.ts';
import { Fence } from './fence.ts';
import { LogBeats } from './log-beats.ts';
import type { LogLine } from './log-tail.ts';
import { Outbox } from './outbox.ts';
import type { SessionHost } from './session-host.ts';
import { Updates } from './updates.ts';

const DEFAULT_BEAT_INTERVAL = 5_000;
const DEFAULT_LEASE = 15_000;

/** What a message of the bus and the answer to a heartbeat have in common. */
type Notices = Pick<SessionMessage, 'assignments' | 'cancels' | 'suspends'>;

export class Session {
  readonly id: Uint8Array;
  readonly #host: SessionHost;
  readonly #ports: CorePorts;
  readonly #beatInterval: number;
  readonly #credits = new Credits();
  readonly #held = new HeldList();
  readonly #updates = new Updates();
  readonly #grants: Grants;
  readonly #attempts: Attempts;
  readonly #fence: Fence;
  readonly #beats: Beats;
  readonly #logBeats: LogBeats;
  readonly #outbox: Outbox;
  readonly #bus: BusLink;
  /** Rings when the fence, a waiting attempt or a run timeout is due. */
  readonly #alarm: Alarm;
  #ready = false;
  #fenced = false;
  #closed = false;
  /** The bus is down and the server asks for frequent heartbeats: their answers carry assignments. */
  #servedInReplies = false;

  constructor(host: SessionHost, opened: OpenSessionResponse, openedAt: number) {
    const { ports, slotTable, rate, stats } = host;
    this.id = opened.sessionId;
    this.#host = host;
    this.#ports = ports;
    this.#beatInterval = durationToMs(opened.beatInterval, DEFAULT_BEAT_INTERVAL);
    this.#fence = new Fence(openedAt, durationToMs(opened.lease, DEFAULT_LEASE));
    this.#alarm = new Alarm(ports.clock, ports.timers, () => this.#watch());
    this.#beats = new Beats(ports, this.#beatInterval, (sentAt) => this.#beat(sentAt));
    this.#logBeats = new LogBeats(ports, this.#beats, () => this.#updates.pending);
    this.#bus = new BusLink(ports.clock, {
      received: (message) => this.#take(message),
      connected: () => this.#beats.now(),
      broken: () => this.#broken(),
      gotPing: () => this.#gotPing(),
    });
    this.#grants = new Grants({ credits: this.#credits, held: this.#held, slotTable, rate });
    this.#outbox = new Outbox(ports, this.id, this.#grants, this.#updates, {
      mayGrant: (now) => this.#mayGrant(now),
      acknowledged: (attempt) => this.#acknowledged(attempt),
      beatWanted: () => this.#beats.within(0),
      leaseLost: () => this.#lost(),
      settled: () => this.advance(),
    });
    this.#attempts = new Attempts({
      ports,
      slotTable,
      stats,
      held: this.#held,
      credits: this.#credits,
      cancels: new Cancels(),
      updates: this.#updates,
      maxPayload: opened.maxPayload || Number.POSITIVE_INFINITY,
      fenced: (now) => this.#fence.passed(now),
      draining: () => host.draining,
      supports: (handler, version) => host.supports(handler, version),
      report: (attempt, outcome) => this.#outbox.add(attempt, outcome),
      dueBy: (at) => this.#alarm.by(at),
    });
  }

  start(opened: OpenSessionResponse): void {
    this.#alarm.by(this.#fence.at);
    this.#bus.open(this.#ports.bus, opened);
    this.#beats.now();
  }

  /** A handler has returned. One call of `advance` follows for all that returned together. */
  ended(execution: Execution, outcome: HandlerOutcome): void {
    this.#attempts.ended(execution, outcome);
  }

  /** Starts waiting attempts, sends pending reports, and grants free slots. */
  advance(): void {
    if (this.#closed) return;
    const now = this.#ports.clock.now();
    this.#attempts.startWaiting(now);
    this.#outbox.flush();
    const idle = this.#host.slotTable.free - this.#credits.slots;
    if (idle > 0 && !this.#outbox.active && this.#mayGrant(now)) this.#beats.within(OFFER_DELAY);
    if (this.#host.draining && this.#held.size === 0) this.#host.sessionDrained();
  }

  progress(execution: Execution, progress: Progress): void {
    if (this.#attempts.progress(execution, progress)) this.#beats.within(PROGRESS_DELAY);
  }

  checkpoint(execution: Execution, checkpoint: Payload): void {
    if (this.#attempts.checkpoint(execution, checkpoint)) this.#beats.within(PROGRESS_DELAY);
  }

  log(execution: Execution, lines: readonly LogLine[]): void {
    if (this.#attempts.log(execution, lines)) this.#logBeats.logged();
  }

  /** The server ends an attempt soon after its run timeout, so an extension has to arrive before that. */
  extendRunTimeout(execution: Execution, extensionMs: number): void {
    const left = execution.timeoutAt - this.#ports.clock.now();
    if (this.#attempts.extendRunTimeout(execution, extensionMs)) this.#beats.within(Math.min(PROGRESS_DELAY, left));
  }

  /** The number of slots has changed: voids all credits and grants new ones. */
  regrant(): void {
    this.#grants.voidAll();
    this.#beats.within(0);
    this.advance();
  }

  drain(): void {
    this.#grants.voidAll();
    this.#attempts.giveBackUnstarted(ReleaseReason.DRAIN);
    this.#beats.within(0);
    this.advance();
  }

  /** Ends the session on this side. It ignores everything that arrives later. */
  close(reason: StopReason): void {
    this.#closed = true;
    this.#beats.close();
    this.#logBeats.close();
    this.#outbox.close();
    this.#alarm.cancel();
    this.#bus.close();
    this.#attempts.drop(reason);
  }

  /** Cancels go first, so that a cancel in the same message as its assignment keeps it from starting. */
  #take({ assignments, cancels, suspends }: Notices): void {
    if (this.#closed) return;
    const now = this.#ports.clock.now();
    for (const { jobId, attempt } of cancels) this.#attempts.cancel(jobId, attempt, now);
    this.#attempts.admitAll(assignments, now);
    for (const { jobId, attempt } of suspends) this.#attempts.suspend(jobId, attempt);
    this.advance();
  }

  /**
   * The server ignores credits of a session that has not echoed a ping. So the heartbeat with the first echo grants all
   * credits anew.
   */
  #gotPing(): void {
    this.#grants.voidAll();
    this.#beats.now();
  }

  /**
   * Assignments under these credits may be lost with the connection. While the bus is down, answers to heartbeats carry
   * assignments, so new credits are granted all the same.
   */
  #broken(): void {
    this.#grants.voidAll();
    this.#beats.within(this.#ports.random() * RECONNECT_SPREAD);
  }

  #mayGrant(now: number): boolean {
    const reachable = this.#bus.echo > 0n || this.#servedInReplies;
    return reachable && !this.#host.draining && !this.#fence.passed(now) && !this.#outbox.backlogged;
  }

  #beat(sentAt: number): Beat {
    const { echo } = this.#bus;
    this.#grants.renew(sentAt);
    const terms = this.#grants.compose(sentAt, this.#mayGrant(sentAt));
    const updates = this.#updates.collect();
    const number = this.#outbox.beatSent();
    const { runner } = this.#ports;
    const request = {
      $typeName: 'muster.worker.v1.SendHeartbeatRequest' as const,
      sessionId: this.id,
      heldAttempts: this.#held.list((slot) => runner.hasStarted(slot)),
      credits: terms.credits,
      voidedCreditIds: terms.voided,
      progress: updates.messages,
      pingEcho: echo,
      draining: this.#host.draining,
    };
    return {
      answer: this.#ports.api.heartbeat(request, this.#beatInterval),
      answered: (response) => {
        this.#grants.answered(terms);
        this.#updates.delivered(updates);
        this.#outbox.beatOver(number, true);
        this.#answered(sentAt, response);
        if (echo > 0n) this.#becomeReady();
      },
      failed: (failure) => {
        this.#grants.failed(terms);
        // Updates that the server refuses must not cost the lease: they are not sent again.
        if (failure.code === Code.INVALID_ARGUMENT) this.#updates.delivered(updates);
        this.#outbox.beatOver(number, false);
        this.#beatFailed(failure);
      },
    };
  }

  #answered(sentAt: number, response: SendHeartbeatResponse): void {
    this.#fence.extend(sentAt);
    this.#servedInReplies = durationToMs(response.nextBeat, this.#beatInterval) < this.#beatInterval;
    if (this.#fenced && !this.#fence.passed(this.#ports.clock.now())) this.#recover();
    if (response.natsCredentials) this.#bus.renewCredentials(response.natsCredentials);
    if (response.reconnectBus) this.#bus.reconnect(response.natsUrls);
    if (this.#updates.pending) this.#beats.within(PROGRESS_DELAY);
    if (response.drain) this.#host.drain();
    this.#take(response);
  }

  #beatFailed(failure: CallFailure): void {
    if (isLeaseLost(failure)) {
      this.#lost();
      return;
    }
    this.#ports.log('warn', 'a heartbeat failed', { code: failure.code, error: failure.message });
    this.advance();
  }

  #becomeReady(): void {
    if (this.#ready || this.#closed) return;
    this.#ready = true;
    this.#ports.onEvent({ type: 'ready' });
  }

  #lost(): void {
    if (!this.#closed) this.#host.sessionLost();
  }

  #acknowledged(held: Held): void {
    this.#host.stats.acknowledged++;
    this.#held.delete(held);
  }

  #watch(): void {
    const now = this.#ports.clock.now();
    if (this.#fence.passed(now)) this.#fall();
    else this.#alarm.by(this.#fence.at);
    this.#attempts.watch(now);
    this.advance();
  }

  /** The lease can't be proved. The session stays open and continues to beat. */
  #fall(): void {
    if (this.#fenced) return;
    this.#fenced = true;
    this.#host.stats.fences++;
    this.#ports.log('warn', 'the lease can not be proved: handlers are stopped until a heartbeat is answered');
    this.#grants.voidAll();
    this.#attempts.abort();
    this.#ports.onEvent({ type: 'fenced' });
  }

  #recover(): void {
    this.#fenced = false;
    this.#alarm.by(this.#fence.at);
    this.#beats.within(0);
    this.#ports.onEvent({ type: 'recovered' });
  }
}
