/** The control plane's view of one session: what it received, and its answers. */
import { create, equals, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type Assignment,
  type CancelNotice,
  CancelNoticeSchema,
  SessionMessageSchema,
  type SuspendNotice,
  SuspendNoticeSchema,
} from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import {
  type AttemptReport,
  AttemptReportSchema,
  ReportResult,
} from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { NatsCredentials } from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';
import {
  type OpenSessionRequest,
  type ReportAttemptsRequest,
  type ReportAttemptsResponse,
  ReportAttemptsResponseSchema,
  type SendHeartbeatRequest,
  type SendHeartbeatResponse,
  SendHeartbeatResponseSchema,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { durationOf } from '../durations.ts';
import { Ledger } from '../ledger.ts';
import { type Attempt, keyOf } from './attempt.ts';
import type { Bus } from './bus.ts';
import type { Call } from './rpc-server.ts';

export interface Beat {
  readonly call: Call;
  readonly request: SendHeartbeatRequest;
}

export interface ReportCall {
  readonly call: Call;
  readonly request: ReportAttemptsRequest;
}

export interface SessionFacts {
  readonly id: string;
  readonly idBytes: Uint8Array;
  readonly subject: string;
  readonly offer: OpenSessionRequest;
  readonly openedAt: number;
}

export class Session {
  readonly facts: SessionFacts;
  readonly ledger = new Ledger();
  /** Heartbeats that took effect. */
  readonly beats: Beat[] = [];
  readonly reportCalls: ReportCall[] = [];
  readonly attempts = new Map<string, Attempt>();
  /** Results that the case wants instead of the regular ones. */
  readonly verdicts = new Map<string, ReportResult>();
  /** From now on answered with LEASE_LOST. */
  isLost = false;
  isClosed = false;
  /** Whether the bus carries pings. */
  hasPings = true;
  pings = 0;
  echo = 0;
  drain = false;
  /** Sent in every answer. */
  nextBeatMs: number | undefined;
  /** Sent in every answer, as to a deaf session. */
  reconnectBus = false;
  /** Sent with `reconnectBus`. Empty: the addresses of OpenSession. */
  natsUrls: readonly string[] = [];
  /** Sent once, with the next answer. */
  freshAccess: NatsCredentials | undefined;
  readonly #pending: Assignment[] = [];
  readonly #bus: Bus;

  constructor(facts: SessionFacts, bus: Bus) {
    this.facts = facts;
    this.#bus = bus;
  }

  /** Applies the heartbeat; returns the regular answer. */
  beat(call: Call): SendHeartbeatResponse {
    const request = call.request as SendHeartbeatRequest;
    this.beats.push({ call, request });
    this.echo = Math.max(this.echo, Number(request.pingEcho));
    this.#takeTerms(call, request);
    this.#takeHeld(call.at, request);
    this.#takeUpdates(request);
    this.pings++;
    if (this.hasPings) this.publish({ ping: BigInt(this.pings) });
    return this.#answer();
  }

  report(call: Call): ReportAttemptsResponse {
    const request = call.request as ReportAttemptsRequest;
    this.reportCalls.push({ call, request });
    this.#takeTerms(call, request);
    const results = request.reports.map((report) => this.#takeReport(report, call.at));
    return create(ReportAttemptsResponseSchema, { results });
  }

  /** The answer to this call leaves now: the worker no longer holds the reported attempts. */
  answered({ reports }: ReportAttemptsRequest): void {
    for (const report of reports) {
      const attempt = this.attempts.get(keyOf(report));
      if (attempt) attempt.answeredAt ??= performance.now();
    }
  }

  publish(message: MessageInitShape<typeof SessionMessageSchema>): void {
    this.#bus.publish(this.facts.subject, toBinary(SessionMessageSchema, create(SessionMessageSchema, message)));
  }

  /** Sent with the answer to the next heartbeat. */
  assignInAnswer(assignment: Assignment): void {
    this.#pending.push(assignment);
  }

  /** Attempts that the worker has neither reported nor been asked to forget. */
  get open(): Attempt[] {
    return [...this.attempts.values()].filter(({ isOpen, sentAt }) => isOpen && sentAt > 0);
  }

  #answer(): SendHeartbeatResponse {
    const { drain, reconnectBus, natsUrls, freshAccess, nextBeatMs } = this;
    this.freshAccess = undefined;
    return create(SendHeartbeatResponseSchema, {
      assignments: this.#pending.splice(0),
      cancels: this.open.filter(({ isCancelled }) => isCancelled).map(noticeOf),
      suspends: this.open.filter(({ isSuspended }) => isSuspended).map(suspendNoticeOf),
      drain,
      reconnectBus,
      natsUrls: reconnectBus ? [...natsUrls] : [],
      ...(nextBeatMs === undefined ? {} : { nextBeat: durationOf(nextBeatMs) }),
      ...(freshAccess ? { natsCredentials: freshAccess } : {}),
    });
  }

  #takeTerms(call: Call, { credits, voidedCreditIds }: SendHeartbeatRequest | ReportAttemptsRequest): void {
    for (const id of voidedCreditIds) this.ledger.void(Number(id));
    const isCounted = this.echo > 0 || this.nextBeatMs !== undefined;
    for (const credit of credits) this.ledger.grant(credit, call.at, call.method, isCounted);
  }

  #takeHeld(at: number, { heldAttempts: held }: SendHeartbeatRequest): void {
    for (const one of held) {
      const attempt = this.attempts.get(keyOf(one));
      if (!attempt) continue;
      attempt.heldAt ??= at;
      if (one.started) attempt.startedAt ??= at;
    }
  }

  #takeUpdates({ progress }: SendHeartbeatRequest): void {
    for (const update of progress) {
      const attempt = this.attempts.get(keyOf(update));
      attempt?.updates.push(update);
      attempt?.logs.push(...update.logs);
    }
  }

  #takeReport(report: AttemptReport, at: number): ReportResult {
    const attempt = this.attempts.get(keyOf(report));
    const result = this.verdicts.get(keyOf(report)) ?? settle(attempt, report);
    attempt?.reports.push({ report, at, call: this.reportCalls.length, result });
    attempt?.logs.push(...report.logs);
    return result;
  }
}

/** Logs are ignored when a report is compared with an earlier one. */
function settle(attempt: Attempt | undefined, report: AttemptReport): ReportResult {
  if (!attempt) return ReportResult.LEASE_LOST;
  const [first] = attempt.reports;
  if (!first) return ReportResult.ACCEPTED;
  const isSame = equals(AttemptReportSchema, { ...first.report, logs: [] }, { ...report, logs: [] });
  return isSame ? ReportResult.DUPLICATE : ReportResult.LEASE_LOST;
}

export function noticeOf({ assignment: { jobId, attempt } }: Attempt): CancelNotice {
  return create(CancelNoticeSchema, { jobId, attempt });
}

/** With the default of a cancel's grace period. */
const GRACE_MS = 30_000;

export function suspendNoticeOf({ assignment: { jobId, attempt } }: Attempt): SuspendNotice {
  return create(SuspendNoticeSchema, { jobId, attempt, grace: durationOf(GRACE_MS) });
}
