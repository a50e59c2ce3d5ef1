/** Rules that apply in every case: checked with each call of the worker. */
import { equals, toBinary } from '@bufbuild/protobuf';
import { FailureCause } from '@muster-jobs/sdk/gen/muster/v1/failure_pb';
import { ProgressSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { type AttemptReport, AttemptReportSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/attempt_report_pb';
import type { ProgressUpdate } from '@muster-jobs/sdk/gen/muster/worker/v1/session_pb';
import type {
  ReportAttemptsRequest,
  SendHeartbeatRequest,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { enumName } from './enum-name.ts';
import { keyOf, outcomeText } from './plane/attempt.ts';
import type { Call } from './plane/rpc-server.ts';
import type { Session } from './plane/session.ts';
import type { Rule } from './rule.ts';

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

/** How long calls in transit at the end of a session may still arrive. */
const UNDER_WAY_MS = 3_000;
const RATE_WINDOW_MS = 2_000;
/** Twenty a second, plus the burst after a short interruption of the line. */
const MAX_BEATS_IN_WINDOW = 46;
const MAX_BEATS_IN_FLIGHT = 4;
/** By how much a caller's deadline may pass before the kit's. */
const DEADLINE_SLACK_MS = 100;
/** Concurrent calls may overtake each other. */
const OVERTAKING_MS = 500;
const MAX_HELD = 10_000;
const MAX_REPORTS = 1_000;
const MAX_REPORT_BYTES = 3 << 20;

export class Watch {
  readonly violations: Violation[] = [];
  readonly #changed: () => void;
  readonly #beats: Call[] = [];
  /** When a session was first answered as lost, or was closed, or replaced by another. */
  readonly #overAt = new Map<Session, number>();
  readonly #lastUpdates = new Map<string, ProgressUpdate>();
  #newest: Session | undefined;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  opened(call: Call, session: Session): void {
    this.#deadline(call);
    this.#newest = session;
  }

  /** Called before a call of a session takes effect. */
  call(call: Call, session: Session | undefined): void {
    this.#deadline(call);
    if (!session) this.#broken('Calls', `${call.method} names a session that was never opened`);
    else this.#afterEnd(call, session);
    if (call.method === 'SendHeartbeat') this.#rate(call);
  }

  tookEffect(call: Call, session: Session): void {
    this.#credits(call, session);
    if (call.method === 'SendHeartbeat') this.#beat(call, session);
    else this.#reports(call.request as ReportAttemptsRequest, session);
  }

  #broken(rule: Rule, text: string): void {
    this.violations.push({ rule, text });
    this.#changed();
  }

  #deadline({ method, leftMs }: Call): void {
    if (!Number.isFinite(leftMs)) this.#broken('Calls', `${method} has no deadline`);
  }

  #afterEnd({ method, at }: Call, session: Session): void {
    if (!session.isLost && !session.isClosed && session === this.#newest) return;
    const overAt = this.#overAt.get(session);
    if (overAt === undefined) this.#overAt.set(session, at);
    else if (at - overAt > UNDER_WAY_MS && method !== 'CloseSession')
      this.#broken(
        'Draining and ending',
        `${method} of a session that has been over for ${Math.round(at - overAt)} ms`,
      );
  }

  #rate(call: Call): void {
    this.#beats.push(call);
    while ((this.#beats[0]?.at ?? call.at) < call.at - 30_000) this.#beats.shift();
    const recent = this.#beats.filter(({ at }) => at > call.at - RATE_WINDOW_MS).length;
    if (recent > MAX_BEATS_IN_WINDOW)
      this.#broken('Heartbeats', `${recent} beats within ${RATE_WINDOW_MS} ms, where 20 a second are the most`);
    const inFlight = this.#beats.filter(
      ({ endedAt, at, leftMs }) => endedAt === undefined && call.at < at + leftMs - DEADLINE_SLACK_MS,
    ).length;
    if (inFlight > MAX_BEATS_IN_FLIGHT)
      this.#broken('Heartbeats', `${inFlight} beats under way at once, where ${MAX_BEATS_IN_FLIGHT} are the most`);
  }

  #credits({ method, request, at }: Call, { ledger, facts }: Session): void {
    for (const { creditId, slots, prefetch } of (request as SendHeartbeatRequest).credits) {
      const id = Number(creditId);
      const same = ledger.all.filter((credit) => credit.id === id).length;
      const later = ledger.all.find((credit) => credit.id > id && credit.at < at - OVERTAKING_MS);
      if (id < 1) this.#broken('Credits', `${method} grants credit ${id}; the numbers begin at 1`);
      if (same > 1) this.#broken('Credits', `credit ${id} is granted twice`);
      if (later) this.#broken('Credits', `credit ${id} is granted after credit ${later.id}; the numbers rise`);
      if (slots < 0 || prefetch < 0 || slots + prefetch === 0)
        this.#broken('Credits', `credit ${id} is for ${slots} slots and ${prefetch} to prefetch`);
    }
    const offered = ledger.slots(at);
    if (offered > facts.offer.slots)
      this.#broken('Credits', `credits for ${offered} slots are on offer by a worker that has ${facts.offer.slots}`);
  }

  #beat({ request, at }: Call, session: Session): void {
    const { heldAttempts: held, pingEcho, progress } = request as SendHeartbeatRequest;
    const listed = new Map(held.map((one) => [keyOf(one), one]));
    if (held.length > MAX_HELD) this.#broken('What is held', `a beat lists ${held.length}; 10,000 are the most`);
    if (listed.size < held.length) this.#broken('What is held', 'a beat lists an attempt twice');
    for (const attempt of session.open) {
      const { name, key, heldAt, startedAt } = attempt;
      const one = listed.get(key);
      if (heldAt !== undefined && heldAt < at && !one)
        this.#broken('What is held', `a beat does not list "${name}", which is held: no answer has ended it`);
      if (one && !one.started && startedAt !== undefined && startedAt < at)
        this.#broken('Heartbeats', `a beat lists "${name}" as not started, after one that said it was`);
    }
    if (Number(pingEcho) > session.pings)
      this.#broken('Heartbeats', `a beat echoes ping ${pingEcho}, and ${session.pings} was the last one sent`);
    for (const update of progress) this.#update(update);
  }

  #update(update: ProgressUpdate): void {
    const last = this.#lastUpdates.get(keyOf(update));
    this.#lastUpdates.set(keyOf(update), update);
    if (last && update.sequence < last.sequence)
      this.#broken(RULE_OF_UPDATES, `an update has sequence ${update.sequence} after one that had ${last.sequence}`);
    if (last?.progress && update.progress && last.sequence === update.sequence) {
      const isSame = equals(ProgressSchema, last.progress, update.progress);
      if (!isSame) this.#broken(RULE_OF_UPDATES, `progress changed, and its sequence stayed at ${update.sequence}`);
    }
    this.#logs(update);
  }

  #logs({ logs }: { readonly logs: ProgressUpdate['logs'] }): void {
    for (const [at, record] of logs.entries()) {
      const before = logs[at - 1];
      if (record.level === 0 || !record.logTime) this.#broken(RULE_OF_UPDATES, 'a log record has no level or no time');
      if (record.sequence < 1n) this.#broken(RULE_OF_UPDATES, 'a log record has no number; they begin at 1');
      if (before && record.sequence <= before.sequence)
        this.#broken(RULE_OF_UPDATES, `log record ${record.sequence} comes after ${before.sequence} in one call`);
    }
  }

  #reports(request: ReportAttemptsRequest, session: Session): void {
    const { reports } = request;
    if (reports.length === 0 || reports.length > MAX_REPORTS)
      this.#broken('Reports', `a call has ${reports.length} reports; from 1 to 1,000 are allowed`);
    const bytes = reports.reduce((sum, report) => sum + toBinary(AttemptReportSchema, report).length, 0);
    if (reports.length > 1 && bytes > MAX_REPORT_BYTES)
      this.#broken('Reports', `a call has ${bytes} bytes of reports; 3 MiB are the most`);
    for (const report of reports) this.#report(report, session);
  }

  #report(report: AttemptReport, session: Session): void {
    this.#logs(report);
    const { outcome } = report;
    if (outcome.case === undefined) this.#broken('Reports', 'a report has no outcome');
    if (outcome.case === 'failure' && !reportable.has(outcome.value.failureCause))
      this.#broken('Reports', `a failure has the cause ${enumName(FailureCause, outcome.value.failureCause)}`);
    const attempt = session.attempts.get(keyOf(report));
    if (!attempt) return;
    if (outcome.case === 'released' && attempt.startedAt !== undefined)
      this.#broken('Looking at an assignment', `"${attempt.name}" was released after its handler had been entered`);
    const [first] = attempt.reports;
    if (first && !isRepeat(first.report, report))
      this.#broken(
        'Reports',
        `"${attempt.name}" was reported as ${outcomeText(first.report)}, and then as ${outcomeText(report)}`,
      );
  }
}

const RULE_OF_UPDATES: Rule = 'Progress, checkpoints and logs';

/** The causes that a worker may report. */
const reportable = new Set<number>([FailureCause.APPLICATION, FailureCause.INFRASTRUCTURE, FailureCause.TIMEOUT]);

/** Logs are ignored. */
function isRepeat(first: AttemptReport, second: AttemptReport): boolean {
  return equals(AttemptReportSchema, { ...first, logs: [] }, { ...second, logs: [] });
}
