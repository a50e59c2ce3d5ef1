/** Reports of workers: each closes one attempt, fenced by job, attempt and session; a repeat is harmless. */

import type { Failure, Payload } from '../../domain/base/payload.ts';
import type { JobDefinition } from '../../domain/definitions/definition.ts';
import { decideAbort, decideConfirmCancel, decideFail, decideRelease } from '../../domain/jobs/decide.ts';
import { decideLoss } from '../../domain/jobs/decide-loss.ts';
import type { Change, OpenRun } from '../../domain/jobs/run.ts';
import { type Announcer, factsOfCompletions } from '../announcer.ts';
import { Batcher } from '../base/batcher.ts';
import { killPoint } from '../base/kill-points.ts';
import { type Suspension, suspendAll } from '../dependencies/suspensions.ts';
import type { UnspentCredits } from '../dispatch/unspent-credits.ts';
import type { Changes } from '../jobs/change/changes.ts';
import type { AttemptKey, ClosedRecord, Completion, LateReport } from '../ports/attempts.ts';
import type { LogRecord } from '../ports/logs.ts';
import type { Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { AttemptLogs } from './attempt-logs.ts';
import { type ResultChecks, resultHash } from './result-checks.ts';
import type { Sessions } from './sessions.ts';

export type Outcome =
  | { readonly kind: 'succeeded'; readonly result: Payload }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'released'; readonly why: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'aborted' }
  /** The handler stopped on request, or waits for these children of its job. */
  | { readonly kind: 'suspended'; readonly childIds: readonly string[] };

export interface Report {
  readonly jobId: string;
  readonly attempt: number;
  readonly outcome: Outcome;
  /** Its handler's log records since the last heartbeat. */
  readonly logs?: readonly LogRecord[];
}

export type ReportResult = 'ACCEPTED' | 'DUPLICATE' | 'LEASE_LOST';

type Closing = AttemptKey & { readonly outcome: Exclude<Outcome, { kind: 'succeeded' | 'suspended' }> };

export interface ReportsParts {
  readonly store: Pick<Store, 'complete' | 'readClosed' | 'noteLateReports' | 'together'>;
  readonly logs: Pick<AttemptLogs, 'save'>;
  readonly resultChecks: ResultChecks;
  readonly sessions: Sessions;
  readonly changes: Changes;
  readonly credits: Pick<UnspentCredits, 'bar'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly announcer: Pick<Announcer, 'committed'>;
  /** Renders a failure as the store writes it, to distinguish a repeat from another result. */
  readonly failureText: (failure: Failure) => string;
}

/** Release reasons that hold for every session of the class. */
const barring: ReadonlySet<string> = new Set(['UNSUPPORTED', 'TOO_LARGE']);

export class Reports {
  readonly #parts: ReportsParts;
  readonly #completions: Batcher<readonly Completion[], ReadonlySet<AttemptKey>>;
  /** Completions whose result has been checked. */
  readonly #checked: Batcher<readonly Completion[], ReadonlySet<AttemptKey>>;
  readonly #closings: Batcher<readonly Closing[], ReadonlySet<AttemptKey>>;

  constructor(parts: ReportsParts) {
    this.#parts = parts;
    const { timers, random } = parts;
    const completions = (name: string, checked: boolean) =>
      new Batcher<readonly Completion[], ReadonlySet<AttemptKey>>({
        name,
        flush: (lists) => this.#complete(lists, checked),
        sizeOf: (list) => ({ rows: list.length, bytes: list.reduce((sum, item) => sum + item.result.data.length, 0) }),
        timers,
        random,
      });
    this.#completions = completions('results', false);
    this.#checked = completions('checked results', true);
    this.#closings = new Batcher({
      name: 'failure reports',
      flush: (lists) => this.#close(lists),
      sizeOf: (list) => ({ rows: list.length, bytes: 0 }),
      timers,
      random,
    });
  }

  /** Results in the order of the reports. Throws LEASE_LOST when the session is closed and nothing was accepted. */
  async report(sessionId: string, reports: readonly Report[]): Promise<ReportResult[]> {
    if (reports.some(({ logs }) => logs?.length)) await this.#saveLogs(sessionId, reports);
    const completions: Completion[] = [];
    const closings: Closing[] = [];
    const suspensions: Suspension[] = [];
    const items = reports.map(({ jobId, attempt, outcome }) => {
      if (outcome.kind === 'succeeded')
        return append(completions, { jobId, attempt, sessionId, result: outcome.result });
      if (outcome.kind === 'suspended')
        return append(suspensions, { jobId, attempt, sessionId, childIds: outcome.childIds });
      return append(closings, { jobId, attempt, sessionId, outcome });
    });
    const none: ReadonlySet<AttemptKey> = new Set();
    const [completed, closed] = await Promise.all([
      completions.length > 0 ? this.#completions.add(completions) : none,
      closings.length > 0 ? this.#closings.add(closings) : none,
    ]);
    const late = completions.filter((item) => !completed.has(item));
    const checked = late.length > 0 ? await this.#checkLate(late) : none;
    const suspended = suspensions.length > 0 ? await suspendAll(this.#parts, suspensions) : none;
    const isAccepted = (item: AttemptKey) => [completed, closed, checked, suspended].some((some) => some.has(item));
    const accepted = items.map(isAccepted);
    const refused = reports.filter((_, i) => !accepted[i]);
    if (refused.length === 0) return reports.map(() => 'ACCEPTED');
    const { repeated, late: lateReports } = await this.#judge(sessionId, refused);
    if (lateReports.length > 0) await this.#parts.store.noteLateReports(lateReports);
    if (refused.length === reports.length && repeated.size === 0) await this.#parts.sessions.requireOpen(sessionId);
    return reports.map((report, i) => (accepted[i] ? 'ACCEPTED' : repeated.has(report) ? 'DUPLICATE' : 'LEASE_LOST'));
  }

  /** Stored while the attempts are open, so that a reader who sees the job's end finds its whole log. */
  async #saveLogs(sessionId: string, reports: readonly Report[]): Promise<void> {
    const logs = reports.flatMap(({ jobId, attempt, logs: records = [] }) =>
      records.length > 0 ? [{ jobId, attempt, sessionId, records }] : [],
    );
    await this.#parts.logs.save(logs);
  }

  /** Checks the results of completions that require it. Returns those that were then completed or closed as failed. */
  async #checkLate(late: readonly Completion[]): Promise<ReadonlySet<AttemptKey>> {
    const results = await this.#parts.resultChecks.check([...firstOfEach([late]).values()]);
    const good = results.filter(({ failure }) => !failure).map(({ completion }) => completion);
    const bad = new Map(
      results.flatMap(({ completion: { result: _, ...key }, completion, failure }): [Closing, Completion][] =>
        failure ? [[{ ...key, outcome: { kind: 'failed', failure } }, completion]] : [],
      ),
    );
    const none: ReadonlySet<AttemptKey> = new Set();
    const [completed, closed] = await Promise.all([
      good.length > 0 ? this.#checked.add(good) : none,
      bad.size > 0 ? this.#closings.add([...bad.keys()]) : none,
    ]);
    const refused = [...bad].flatMap(([closing, completion]) => (closed.has(closing) ? [completion] : []));
    return new Set<AttemptKey>([...good.filter((item) => completed.has(item)), ...refused]);
  }

  async #complete(lists: readonly (readonly Completion[])[], checked: boolean): Promise<ReadonlySet<AttemptKey>[]> {
    const first = firstOfEach(lists);
    const ended = await this.#parts.store.complete([...first.values()], checked);
    if (ended.length > 0) killPoint('complete.after_commit_before_reply');
    this.#parts.announcer.committed(factsOfCompletions(ended));
    const accepted = new Set(ended.flatMap((key) => first.get(textOf(key)) ?? []));
    return lists.map(() => accepted);
  }

  async #close(lists: readonly (readonly Closing[])[]): Promise<ReadonlySet<AttemptKey>[]> {
    const first = firstOfEach(lists);
    const closingOf = (run: OpenRun) =>
      first.get(textOf({ jobId: run.jobId, attempt: run.attempt, sessionId: run.sessionId ?? '' }));
    const changes = await this.#parts.changes.apply(
      { by: 'attempts', attempts: [...first.values()] },
      (run, nowUs, definition) => {
        const closing = closingOf(run);
        return closing && this.#decide(run, closing.outcome, nowUs, definition);
      },
    );
    const accepted = new Set(changes.flatMap((change) => closingOf(change.run) ?? []));
    return lists.map(() => accepted);
  }

  #decide(run: OpenRun, outcome: Closing['outcome'], nowUs: number, definition: JobDefinition): Change {
    const moment = { nowUs, random: this.#parts.random.next() };
    const policy = run.retryPolicy ?? definition.retryPolicy;
    switch (outcome.kind) {
      case 'failed':
        return decideFail(run, outcome.failure, policy, moment);
      case 'released':
        // Before the job is ready again; otherwise it would be assigned to the same session at once.
        if (barring.has(outcome.why)) this.#parts.credits.bar(run.sessionId ?? '', run.laneId);
        return decideLoss(decideRelease(run, outcome.why, moment), policy, moment);
      case 'cancelled':
        return decideLoss(decideConfirmCancel(run, moment), policy, moment);
      case 'aborted':
        return decideLoss(decideAbort(run, moment), policy, moment);
    }
  }

  /**
   * Of the refused reports, those that were accepted before, with the same content; and results of attempts that had been
   * closed by then.
   */
  async #judge(sessionId: string, refused: readonly Report[]) {
    const records = await this.#parts.store.readClosed(
      refused.map(({ jobId, attempt }) => ({ jobId, attempt, sessionId })),
    );
    const byKey = new Map(records.map((record) => [textOf(record), record]));
    const recordOf = (report: Report) => byKey.get(textOf({ ...report, sessionId }));
    const repeated = new Set(
      refused.filter((report) => {
        const record = recordOf(report);
        return record !== undefined && this.#isSame(record, report.outcome);
      }),
    );
    const late = refused.flatMap((report) => (recordOf(report) && !repeated.has(report) ? lateReportOf(report) : []));
    return { repeated, late };
  }

  #isSame(record: ClosedRecord, outcome: Outcome): boolean {
    switch (outcome.kind) {
      case 'succeeded':
        // A result refused by its schema was closed as a failure that contains its hash.
        if (record.outcome === 'FAILED') return record.failure?.includes(resultHash(outcome.result)) === true;
        return (
          record.result !== undefined &&
          record.result.contentType === outcome.result.contentType &&
          Buffer.compare(record.result.data, outcome.result.data) === 0
        );
      case 'failed':
        return record.outcome === 'FAILED' && record.failure === this.#parts.failureText(outcome.failure);
      case 'cancelled':
        // Without a recorded cancel it was closed as aborted.
        return record.outcome === 'CANCELLED' || record.givenBack === 'ABORTED';
      case 'released':
        // A running attempt was closed as aborted.
        return record.givenBack !== undefined;
      case 'aborted':
        return record.givenBack === 'ABORTED' || record.givenBack === 'STOPPED';
      case 'suspended':
        // The suspension of a job that was being cancelled ended it.
        return record.outcome === 'SUSPENDED' || record.outcome === 'CANCELLED';
    }
  }
}

/** Only results say that a handler did its work. */
function lateReportOf({ jobId, attempt, outcome }: Report): LateReport[] {
  if (outcome.kind === 'succeeded') return [{ jobId, attempt, outcome: 'SUCCEEDED' }];
  return outcome.kind === 'failed' ? [{ jobId, attempt, outcome: 'FAILED' }] : [];
}

function textOf({ jobId, attempt, sessionId }: AttemptKey): string {
  return `${jobId}/${attempt}/${sessionId}`;
}

/**
 * The first report of each attempt. A copy, in the same call or in another of the same flush, is compared once the
 * first one is stored. Several attempts of one job are all kept, since at most one of them is open.
 */
function firstOfEach<T extends AttemptKey>(lists: readonly (readonly T[])[]): Map<string, T> {
  const first = new Map<string, T>();
  for (const list of lists) {
    for (const item of list) {
      const text = textOf(item);
      if (!first.has(text)) first.set(text, item);
    }
  }
  return first;
}

/** Appends the item and returns it. */
function append<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}
