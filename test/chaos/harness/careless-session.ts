/** One session of the careless worker: its assignments, what it does with them, and its reports. */
import { setTimeout as delay } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { durationToMs } from '../../../sdk/typescript/src/duration.ts';
import type { Assignment } from '../../../sdk/typescript/src/gen/muster/worker/v1/assignment_pb.ts';
import {
  type AttemptReport,
  AttemptReportSchema,
  ReleaseReason,
  ReportResult,
} from '../../../sdk/typescript/src/gen/muster/worker/v1/attempt_report_pb.ts';
import {
  CloseSessionRequestSchema,
  type OpenSessionResponse,
  ReportAttemptsRequestSchema,
  SendHeartbeatRequestSchema,
} from '../../../sdk/typescript/src/gen/muster/worker/v1/session_service_pb.ts';
import { encodePayload } from '../../../sdk/typescript/src/payload.ts';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';
import type { SessionApi } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import { natsBus } from '../../../sdk/typescript/src/worker/thread/nats-bus.ts';
import type { Dice } from './dice.ts';
import { isLeaseLost, isUnknown } from './outcomes.ts';
import type { WorkerRecord } from './records.ts';
import type { Tally } from './tally.ts';

/** The control plane's answer to a report. */
export interface ReportAnswer {
  readonly job: string;
  readonly attempt: number;
  readonly session: string;
  readonly said: 'result' | 'another result' | 'released';
  /** SESSION_LOST: the whole call was refused because the session is closed. */
  readonly answer: 'ACCEPTED' | 'DUPLICATE' | 'LEASE_LOST' | 'SESSION_LOST';
  /** The time of the answer, in ms since 1970. */
  readonly at: number;
}

export interface CarelessParts {
  readonly api: SessionApi;
  readonly name: string;
  readonly slots: number;
  readonly beatMs: number;
  readonly dice: Dice;
  readonly tally: Tally;
  readonly records: WorkerRecord[];
  readonly reports: ReportAnswer[];
  /** The run was aborted: no call needs another try. */
  readonly givenUp: () => boolean;
}

interface Attempt {
  readonly job: string;
  readonly jobId: Uint8Array;
  readonly attempt: number;
  started: boolean;
}

/** Probabilities of what it does with an attempt. */
const habits = { vanish: 0.03, release: 0.1, dawdle: 0.2, repeat: 0.2, lie: 0.1, loseAssignment: 0.25 };
const CALL_MS = 2_000;
const AGAIN_MS = 50;
const answers: Readonly<Record<number, ReportAnswer['answer']>> = {
  [ReportResult.ACCEPTED]: 'ACCEPTED',
  [ReportResult.DUPLICATE]: 'DUPLICATE',
  [ReportResult.LEASE_LOST]: 'LEASE_LOST',
};

export class CarelessSession {
  readonly id: string;
  /** The server has closed it. */
  over = false;
  /** It has requested its end: later assignments are held, and never started. */
  #ending = false;
  readonly #parts: CarelessParts;
  readonly #idBytes: Uint8Array;
  readonly #bus: { close(): void };
  readonly #held = new Map<string, Attempt>();
  /** Every attempt that it has ever accepted. */
  readonly #seen = new Set<string>();
  readonly #lost = new Set<string>();
  readonly #working = new Set<Promise<void>>();
  /** The first refusal of a report that no fault excuses. */
  #failure: unknown;
  #echo = 0n;
  #credit = 0n;
  readonly #leaseMs: number;
  #fenceAt: number;

  /** @param sentAt When OpenSession was first sent. */
  constructor(parts: CarelessParts, opened: OpenSessionResponse, sentAt: number) {
    this.#parts = parts;
    this.#idBytes = opened.sessionId;
    this.id = uuidText(opened.sessionId);
    this.#leaseMs = durationToMs(opened.lease, 0);
    this.#fenceAt = sentAt + fenceOf(this.#leaseMs);
    this.#bus = natsBus(() => {}).connect({
      urls: () => opened.natsUrls,
      subject: opened.subject,
      credentials: () => opened.natsCredentials,
      onMessage: ({ ping, assignments }) => {
        if (ping > this.#echo) this.#echo = ping;
        for (const assignment of assignments) this.#receive(assignment, 'bus');
      },
      onStatus: () => {},
    });
  }

  async beat(): Promise<void> {
    const { api, slots, beatMs } = this.#parts;
    const sentAt = performance.now();
    const free = this.#echo > 0n ? Math.max(0, slots - this.#held.size) : 0;
    const voided = this.#credit;
    const request = create(SendHeartbeatRequestSchema, {
      sessionId: this.#idBytes,
      heldAttempts: [...this.#held.values()].map(({ jobId, attempt, started }) => ({ jobId, attempt, started })),
      credits: free > 0 ? [{ creditId: ++this.#credit, slots: free, prefetch: 0 }] : [],
      voidedCreditIds: voided > 0n ? [voided] : [],
      pingEcho: this.#echo,
    });
    try {
      const { assignments } = await api.heartbeat(request, beatMs);
      this.#fenceAt = Math.max(this.#fenceAt, sentAt + fenceOf(this.#leaseMs));
      for (const assignment of assignments) this.#receive(assignment, 'reply');
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Requests the end of the session, whatever it holds, while it still offers slots: no later claim may succeed. */
  async close(): Promise<void> {
    this.#ending = true;
    await Promise.all([this.#askForEnd(), this.beat(), this.beat()]);
  }

  async #askForEnd(): Promise<void> {
    const request = create(CloseSessionRequestSchema, { sessionId: this.#idBytes });
    for (let asked = false; !asked && !this.over && !this.#parts.givenUp(); ) {
      asked = await this.#parts.api.closeSession(request, CALL_MS).then(
        () => true,
        (error) => this.#failed(error),
      );
      if (!asked) await delay(AGAIN_MS);
    }
  }

  /** The session was closed without its knowledge: every later report must be refused. */
  async reportTooLate(): Promise<void> {
    this.over = true;
    for (const attempt of this.#held.values()) {
      if (attempt.started) continue;
      this.#parts.tally.count('report after the session was closed');
      while (!this.#parts.givenUp() && !(await this.#send(attempt, 'result', 'too-late'))) await delay(AGAIN_MS);
    }
  }

  /** Waits for its running attempts. */
  async leave(): Promise<void> {
    this.over = true;
    this.#bus.close();
    await Promise.all(this.#working);
    if (this.#failure !== undefined) throw this.#failure;
  }

  #receive(assignment: Assignment, way: 'bus' | 'reply'): void {
    const { tally } = this.#parts;
    const job = uuidText(assignment.jobId);
    const key = `${job}/${assignment.attempt}`;
    const reason = this.#whyIgnored(key, way);
    if (reason !== undefined) {
      tally.count(reason);
      return;
    }
    if (way === 'reply')
      tally.count(this.#lost.has(key) ? 'lost assignment came again in a reply' : 'assignment came in a reply');
    this.#seen.add(key);
    // A copy, because the received bytes are a view of the whole message.
    const attempt = { job, jobId: assignment.jobId.slice(), attempt: assignment.attempt, started: false };
    this.#held.set(key, attempt);
    const working: Promise<void> = this.#work(attempt)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  #whyIgnored(key: string, way: 'bus' | 'reply'): string | undefined {
    if (this.over || performance.now() >= this.#fenceAt) return 'assignment ignored behind the fence';
    if (this.#seen.has(key)) return 'assignment of a known attempt ignored';
    if (way === 'reply' || !this.#parts.dice.chance(habits.loseAssignment)) return undefined;
    this.#lost.add(key);
    return 'assignment lost on purpose';
  }

  async #work(attempt: Attempt): Promise<void> {
    const { dice, beatMs } = this.#parts;
    // The attempt stays held and is never started.
    if (dice.chance(habits.vanish) || this.#ending) return;
    if (dice.chance(habits.release)) return this.#report(attempt, 'released');
    const [dawdles, repeats, lies] = [habits.dawdle, habits.repeat, habits.lie].map((habit) => dice.chance(habit));
    this.#record(attempt, 'start');
    attempt.started = true;
    if (dawdles) await delay(dice.int(1, 2 * beatMs));
    this.#record(attempt, 'end');
    await Promise.all([this.#report(attempt, 'result'), repeats && this.#report(attempt, 'result')]);
    if (repeats) await this.#report(attempt, 'result');
    if (lies) await this.#report(attempt, 'another result');
  }

  /** Repeats the report until it is answered, or the session is over. */
  async #report(attempt: Attempt, said: ReportAnswer['said']): Promise<void> {
    while (!this.over && !this.#parts.givenUp() && !(await this.#send(attempt, said, this.#parts.name)))
      await delay(AGAIN_MS);
    this.#held.delete(`${attempt.job}/${attempt.attempt}`);
  }

  /** Returns whether it was answered. */
  async #send(attempt: Attempt, said: ReportAnswer['said'], by: string): Promise<boolean> {
    const reports = [reportOf(attempt, said, by)];
    const request = create(ReportAttemptsRequestSchema, { sessionId: this.#idBytes, reports });
    try {
      const { results } = await this.#parts.api.reportAttempts(request, CALL_MS);
      return this.#note(attempt, said, answers[results[0] ?? 0] ?? 'LEASE_LOST');
    } catch (error) {
      return this.#failed(error) && this.#note(attempt, said, 'SESSION_LOST');
    }
  }

  /** Whether the error says that the session is closed; if the outcome is unknown, the report must be repeated. */
  #failed(error: unknown): boolean {
    if (!isLeaseLost(error) && !isUnknown(error)) throw error;
    if (isLeaseLost(error)) this.over = true;
    return isLeaseLost(error);
  }

  #note({ job, attempt }: Attempt, said: ReportAnswer['said'], answer: ReportAnswer['answer']): true {
    this.#parts.reports.push({ job, attempt, session: this.id, said, answer, at: Date.now() });
    return true;
  }

  #record({ job, attempt }: Attempt, kind: 'start' | 'end'): void {
    const { records, name: worker } = this.#parts;
    const facts = { at: Date.now(), worker, job, attempt, handler: 'careless' };
    records.push(kind === 'start' ? { kind, ...facts } : { kind, ...facts, how: 'returned' });
  }
}

/** As in the SDKs: the worker gives up a lease when two fifteenths of it are left. */
function fenceOf(leaseMs: number): number {
  return leaseMs * (1 - 2 / 15);
}

function reportOf({ job, jobId, attempt }: Attempt, said: ReportAnswer['said'], by: string): AttemptReport {
  const report = create(AttemptReportSchema, { jobId, attempt });
  const value = encodePayload({ by: `${job}/${attempt}/${said === 'result' ? by : 'somebody else'}` });
  if (said === 'released')
    report.outcome = {
      case: 'released',
      value: { $typeName: 'muster.worker.v1.Released', reason: ReleaseReason.NO_SLOT },
    };
  else if (value) report.outcome = { case: 'result', value };
  return report;
}
