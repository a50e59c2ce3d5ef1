/** Worker sessions: opens, renews and closes them; compares the attempts that a session lists with the store. */

import { TRUSTED_US } from '../../domain/base/trusted-time.ts';
import type { SessionClass } from '../../domain/dispatch/placement.ts';
import { decideAbort, decideSessionEnd, type SessionEnd } from '../../domain/jobs/decide.ts';
import { decideLoss } from '../../domain/jobs/decide-loss.ts';
import { graceLeftMs } from '../../domain/jobs/suspension.ts';
import { Batcher } from '../base/batcher.ts';
import type { DbClock } from '../base/db-clock.ts';
import { EngineError } from '../base/errors.ts';
import { sessionIdOf } from '../base/job-ids.ts';
import { killPoint } from '../base/kill-points.ts';
import { type Assignment, assignmentBytes, type CancelNotice, type SuspendNotice } from '../base/messages.ts';
import { RecentMap } from '../base/recent-map.ts';
import { requestIdReused } from '../base/requests.ts';
import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { GrantedCredit, UnspentCredits } from '../dispatch/unspent-credits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { AttemptKey, HeldRun, ProgressChange } from '../ports/attempts.ts';
import type { AttemptLog } from '../ports/logs.ts';
import type { Bus, Log, Random, SessionAccess, SessionCredentials, Timers } from '../ports/ports.ts';
import type { Beat, NewSession, Renewal, SessionRow, SessionTimes } from '../ports/sessions.ts';
import type { Store } from '../ports/store.ts';
import type { AttemptLogs } from './attempt-logs.ts';
import { isSameOffer } from './session-offers.ts';

export interface Heartbeat {
  readonly sessionId: string;
  readonly held: readonly { readonly jobId: string; readonly attempt: number; readonly started: boolean }[];
  readonly credits: readonly GrantedCredit[];
  readonly voidedCreditIds: readonly number[];
  readonly progress: readonly Omit<ProgressChange, 'sessionId'>[];
  readonly logs: readonly Omit<AttemptLog, 'sessionId'>[];
  readonly pingEcho: number;
  readonly draining: boolean;
}

export interface HeartbeatReply {
  readonly assignments: readonly Assignment[];
  readonly cancels: readonly CancelNotice[];
  readonly suspends: readonly SuspendNotice[];
  /** A drain of the worker was requested. */
  readonly drain: boolean;
  /** What a deaf session needs to reconnect: the bus may have moved since it was opened. */
  readonly reconnectBus: SessionAccess | undefined;
  /** Undefined: the usual interval. */
  readonly nextBeatMs: number | undefined;
  readonly credentials: SessionCredentials | undefined;
}

/** Max heartbeats that the ping may lag behind before the session counts as deaf: it does not receive from the bus. */
export const DEAF_AFTER_BEATS = 3;
const BUS_DOWN_BEAT_MS = 500;
/** Every so many heartbeats, RUNNING attempts are compared, too. */
const WHOLE_COMPARISON_BEATS = 12;
/** Max bytes of the assignments in a reply; a gRPC client accepts 4 MiB, and the rest of a reply is far below 1 MiB. */
const REPLY_BYTES = 3 << 20;
/** Max sessions remembered: those that end at other replicas are not forgotten otherwise. */
const MAX_KNOWN = 20_000;
const PAGE = 1_000;
/** Max pages freed in one call; a sweeper continues with the rest. */
const PAGES = 100;
const CREDENTIALS_LIFE_MS = 3_600_000;

interface KnownSession {
  readonly sessionClass: SessionClass;
  readonly workerName: string;
  /** Whether its credits count: the bus reached it, as of its last heartbeat at this replica. */
  isReachable: boolean;
  /** It takes no more jobs, as far as this replica knows. */
  drains: boolean;
}

export interface SessionsParts {
  readonly store: Pick<
    Store,
    | 'openSession'
    | 'renewSessions'
    | 'readSessions'
    | 'readHeld'
    | 'readAssigned'
    | 'observe'
    | 'saveProgress'
    | 'closeSessions'
    | 'endSessions'
  >;
  readonly logs: Pick<AttemptLogs, 'save'>;
  readonly changes: Changes;
  readonly credits: UnspentCredits;
  readonly dispatcher: Dispatcher;
  readonly bus: Bus;
  readonly times: SessionTimes;
  readonly dbClock: Pick<DbClock, 'nowUs'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  /** Loads the lanes of these attempts. */
  readonly loadLanes: (laneIds: readonly number[]) => Promise<void>;
}

export class Sessions {
  readonly #parts: SessionsParts;
  readonly #renewals: Batcher<Beat, Renewal | undefined>;
  readonly #observed: Batcher<readonly AttemptKey[], undefined>;
  readonly #progress: Batcher<readonly ProgressChange[], undefined>;
  readonly #known = new RecentMap<string, KnownSession>(MAX_KNOWN);

  constructor(parts: SessionsParts) {
    this.#parts = parts;
    const { store, timers, random } = parts;
    this.#renewals = new Batcher({ name: 'heartbeats', flush: (beats) => this.#renew(beats), timers, random });
    this.#observed = new Batcher({
      name: 'observations',
      flush: async (lists) => {
        await store.observe(lists.flat(), parts.dbClock.nowUs());
        return lists.map(() => undefined);
      },
      sizeOf: (list) => ({ rows: list.length, bytes: 0 }),
      timers,
      random,
    });
    this.#progress = new Batcher({
      name: 'progress updates',
      flush: async (lists) => {
        await store.saveProgress(newest(lists.flat()), parts.dbClock.nowUs());
        return lists.map(() => undefined);
      },
      sizeOf: (list) => ({
        rows: list.length,
        bytes: list.reduce((sum, change) => sum + (change.checkpoint?.data.length ?? 0), 0),
      }),
      timers,
      random,
    });
  }

  /** Returns the session of an earlier call with the same request id, if any. Throws REQUEST_ID_REUSED, LEASE_LOST. */
  async open(
    offer: Omit<NewSession, 'sessionId' | 'nowUs' | 'leaseMs'>,
  ): Promise<{ session: SessionRow; access: SessionAccess; times: SessionTimes }> {
    const { store, bus, dbClock, times, random } = this.#parts;
    const own = { sessionId: sessionIdOf(random), leaseMs: times.leaseMs, nowUs: dbClock.nowUs() };
    const session = await store.openSession({ ...offer, ...own });
    killPoint('open.after_commit_before_reply');
    if (!isSameOffer(session, offer)) throw requestIdReused();
    if (session.state !== 'OPEN') throw leaseLost(session.sessionId);
    this.#know(session);
    return { session, access: bus.grantAccess(session.sessionId), times };
  }

  /** Throws LEASE_LOST when the session is closed. */
  async beat(beat: Heartbeat): Promise<HeartbeatReply> {
    const { bus, credits, dispatcher } = this.#parts;
    const { sessionId } = beat;
    credits.void(sessionId, beat.voidedCreditIds);
    const renewal = await this.#renewals.add({ sessionId, pingEcho: beat.pingEcho, draining: beat.draining });
    if (!renewal) throw this.#lost(sessionId);
    const known = await this.#find(sessionId);
    const busUp = bus.isUp();
    const deaf = busUp && renewal.beats - renewal.pingEcho >= DEAF_AFTER_BEATS;
    known.isReachable = renewal.pingEcho > 0 && !deaf;
    known.drains = renewal.draining;
    if (renewal.drainWanted) this.stopGranting(sessionId);
    bus.ping(sessionId, renewal.beats);
    if (!known.drains && (known.isReachable || !busUp)) {
      credits.deposit(sessionId, known.sessionClass, beat.credits, known.workerName);
      dispatcher.wake();
    }
    await this.#receive(beat);
    const { assignments, ...notices } = await this.#compare(beat, renewal);
    const fresh = busUp ? [] : await dispatcher.claimFor(sessionId, credits.classOf(sessionId));
    const reconnectBus = deaf ? bus.grantAccess(sessionId) : undefined;
    return {
      // An assignment that does not fit is in the store, so a later heartbeat finds it missing and sends it.
      assignments: fitting([...assignments, ...fresh]),
      ...notices,
      drain: renewal.drainWanted,
      reconnectBus,
      nextBeatMs: busUp ? undefined : BUS_DOWN_BEAT_MS,
      credentials: reconnectBus?.credentials ?? this.#renewedCredentials(sessionId, renewal),
    };
  }

  /** Adds credits that came with a report. Ignored if the session drains or is deaf. */
  async grant(sessionId: string, granted: readonly GrantedCredit[], voided: readonly number[]): Promise<void> {
    const { credits, dispatcher } = this.#parts;
    credits.void(sessionId, voided);
    if (granted.length === 0) return;
    const known = this.#known.get(sessionId) ?? (await this.#find(sessionId));
    if (!known.isReachable || known.drains) return;
    credits.deposit(sessionId, known.sessionClass, granted, known.workerName);
    dispatcher.wake();
  }

  /** Ends a session at its own request; its attempts go back at once. */
  async close(sessionId: string, how: 'CLOSE' | 'WORKER_LOST'): Promise<void> {
    const closed = await this.startClosing([sessionId], how);
    if (closed.length > 0) await this.free(sessionId, how);
  }

  /** They get no more work; `free` releases their attempts. With `lapsedForMs`: if their lease ended that long ago. */
  async startClosing(sessionIds: readonly string[], how: SessionEnd, lapsedForMs?: number): Promise<string[]> {
    const { store, dbClock } = this.#parts;
    const closed = await store.closeSessions(sessionIds, how, lapsedForMs, dbClock.nowUs());
    if (closed.length > 0) killPoint('close.after_closing_before_freeing');
    return closed;
  }

  /** Releases the attempts of a CLOSING session page by page, then closes it. */
  async free(sessionId: string, how: SessionEnd): Promise<void> {
    const { changes, store, random } = this.#parts;
    this.#forget(sessionId);
    for (let page = 0; page < PAGES; page++) {
      const freed = await changes.apply({ by: 'session', sessionId, limit: PAGE }, (run, nowUs, definition) => {
        const moment = { nowUs, random: random.next() };
        const policy = run.retryPolicy ?? definition.retryPolicy;
        return decideLoss(decideSessionEnd(run, how, moment), policy, moment, how !== 'MASS_LAPSE');
      });
      if (freed.length < PAGE) break;
    }
    await store.endSessions([sessionId]);
  }

  /** A drain of the session was requested: its credits here are void. */
  stopGranting(sessionId: string): void {
    const known = this.#known.get(sessionId);
    if (known) known.drains = true;
    this.#parts.credits.forget(sessionId);
  }

  /** Throws LEASE_LOST unless the session is open. */
  async requireOpen(sessionId: string): Promise<void> {
    const [row] = await this.#parts.store.readSessions([sessionId]);
    if (row?.state !== 'OPEN') throw this.#lost(sessionId);
  }

  async #renew(beats: readonly Beat[]): Promise<(Renewal | undefined)[]> {
    const last = new Map(beats.map((beat) => [beat.sessionId, beat]));
    const { store, times, dbClock } = this.#parts;
    const renewals = await store.renewSessions([...last.values()], times.leaseMs, dbClock.nowUs());
    const bySession = new Map(renewals.map((renewal) => [renewal.sessionId, renewal]));
    return beats.map((beat) => bySession.get(beat.sessionId));
  }

  /** Stores the progress and the logs of handlers. */
  async #receive({ sessionId, progress, logs }: Heartbeat): Promise<void> {
    if (progress.length === 0 && logs.length === 0) return;
    const ofSession = { sessionId };
    await Promise.all([
      progress.length > 0 && this.#progress.add(progress.map((change) => ({ ...change, ...ofSession }))),
      logs.length > 0 && this.#parts.logs.save(logs.map((log) => ({ ...log, ...ofSession }))),
    ]);
  }

  /**
   * Compares the session's list with the store: re-sends missing attempts, returns what must stop, marks running ones.
   */
  async #compare(
    beat: Heartbeat,
    renewal: Renewal,
  ): Promise<Pick<HeartbeatReply, 'assignments' | 'cancels' | 'suspends'>> {
    const whole = renewal.beats % WHOLE_COMPARISON_BEATS === 0;
    const runs = await this.#parts.store.readHeld(beat.sessionId, whole);
    const listed = new Map(beat.held.map((held) => [`${held.jobId}/${held.attempt}`, held.started]));
    const startedOf = (run: HeldRun) => listed.get(`${run.jobId}/${run.attempt}`);
    // One that was assigned long after the heartbeat which is being answered: the clock was ahead.
    const old = ({ assignTimeUs: us }: HeldRun) => us < renewal.previousBeatUs || us > renewal.beatUs + TRUSTED_US;
    const started = runs.filter((run) => run.state === 'ASSIGNED' && startedOf(run));
    if (started.length > 0) {
      killPoint('observe.after_publish_before_mark');
      await this.#observed.add(started);
    }
    const unknown = runs.filter((run) => run.state === 'RUNNING' && startedOf(run) === undefined && old(run));
    if (unknown.length > 0 && (await this.#isNewest(beat, renewal))) await this.#abort(unknown);
    // An assignment that is being cancelled is re-sent, too, with its cancel: the worker then releases it at once. A
    // cancel alone would only be remembered.
    const missing = runs.filter((run) => run.state !== 'RUNNING' && startedOf(run) === undefined && old(run));
    return {
      assignments: missing.length > 0 ? await this.#resend(missing) : [],
      cancels: [...runs.filter((run) => run.state === 'CANCELLING'), ...(whole ? goneOf(beat, runs) : [])],
      suspends: runs.flatMap((run) => suspendNotice(run, this.#parts.dbClock.nowUs())),
    };
  }

  /**
   * Whether this heartbeat is the newest one: all heartbeats processed before it were also sent before it, and none was
   * processed since. A late one does not list attempts accepted after it was sent, so their absence means nothing. This
   * one echoes the ping of the heartbeat just before it, so it was sent after that one was processed.
   */
  async #isNewest(beat: Heartbeat, renewal: Renewal): Promise<boolean> {
    if (beat.pingEcho !== renewal.beats - 1) return false;
    const [row] = await this.#parts.store.readSessions([beat.sessionId]);
    return row?.beats === renewal.beats;
  }

  async #resend(missing: readonly HeldRun[]): Promise<Assignment[]> {
    const jobs = await this.#parts.store.readAssigned(missing.slice(0, PAGE));
    await this.#parts.loadLanes(jobs.map((job) => job.laneId));
    return jobs.map((job) => this.#parts.dispatcher.assignmentOf(job));
  }

  async #abort(unknown: readonly HeldRun[]): Promise<void> {
    const { changes, random } = this.#parts;
    await changes.apply({ by: 'attempts', attempts: unknown }, (run, nowUs, definition) => {
      const moment = { nowUs, random: random.next() };
      return decideLoss(decideAbort(run, moment), run.retryPolicy ?? definition.retryPolicy, moment);
    });
  }

  /** Without state: renews at the heartbeats at which half of the credentials' lifetime has passed again. */
  #renewedCredentials(sessionId: string, renewal: Renewal): SessionCredentials | undefined {
    const beats = Math.max(1, Math.floor(CREDENTIALS_LIFE_MS / 2 / this.#parts.times.beatMs));
    return renewal.beats % beats === 0 ? this.#parts.bus.grantAccess(sessionId).credentials : undefined;
  }

  async #find(sessionId: string): Promise<KnownSession> {
    const known = this.#known.get(sessionId);
    if (known) return known;
    const [row] = await this.#parts.store.readSessions([sessionId]);
    if (row?.state !== 'OPEN') throw this.#lost(sessionId);
    return this.#know(row);
  }

  #know(row: SessionRow): KnownSession {
    const { namespace, handlers, labels, resources, workerName, draining: drains } = row;
    const isReachable = row.pingEcho > 0 && row.beats - row.pingEcho < DEAF_AFTER_BEATS;
    const known = { sessionClass: { namespace, handlers, labels, resources }, workerName, isReachable, drains };
    this.#known.set(row.sessionId, known);
    return known;
  }

  #forget(sessionId: string): void {
    this.#known.delete(sessionId);
    this.#parts.credits.forget(sessionId);
  }

  #lost(sessionId: string): EngineError {
    this.#forget(sessionId);
    return leaseLost(sessionId);
  }
}

/** Listed attempts that the session holds no longer: nobody waits for their handlers. */
function goneOf({ held }: Heartbeat, runs: readonly HeldRun[]): CancelNotice[] {
  const open = new Set(runs.map(({ jobId, attempt }) => `${jobId}/${attempt}`));
  return held.filter(({ jobId, attempt }) => !open.has(`${jobId}/${attempt}`));
}

function suspendNotice({ jobId, attempt, suspendUntilUs }: HeldRun, nowUs: number): SuspendNotice[] {
  return suspendUntilUs === undefined ? [] : [{ jobId, attempt, graceMs: graceLeftMs(suspendUntilUs, nowUs) }];
}

/** The first of them that fit into a reply, at least one. */
function fitting(assignments: readonly Assignment[]): Assignment[] {
  let bytes = 0;
  return assignments.filter((assignment, i) => {
    bytes += assignmentBytes(assignment);
    return i === 0 || bytes <= REPLY_BYTES;
  });
}

function leaseLost(sessionId: string): EngineError {
  return new EngineError('LEASE_LOST', `session ${sessionId} is closed: stop what it runs and open a new one`, {
    metadata: { session_id: sessionId },
  });
}

/** The newest change of each attempt; an older checkpoint is kept if the newer change has none. */
function newest(changes: readonly ProgressChange[]): ProgressChange[] {
  const byAttempt = new Map<string, ProgressChange>();
  for (const change of [...changes].sort((a, b) => a.sequence - b.sequence)) {
    const key = `${change.jobId}/${change.attempt}/${change.sessionId}`;
    const before = byAttempt.get(key);
    byAttempt.set(key, before ? { ...change, checkpoint: change.checkpoint ?? before.checkpoint } : change);
  }
  return [...byAttempt.values()];
}
