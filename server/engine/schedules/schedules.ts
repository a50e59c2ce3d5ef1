/** Creates, reads, pauses, triggers and deletes schedules. `schedule-rounds.ts` runs them. */

import { uuidFromBytes } from '../../domain/base/uuid.ts';
import {
  type FoundTimes,
  MAX_CANDIDATES_TOGETHER,
  NominalTimes,
  type ScheduleTimes,
} from '../../domain/schedules/nominal-times.ts';
import type { OverlapPolicy, PendingRun, RunKey, ScheduleKind } from '../../domain/schedules/schedule.ts';
import { retryCollisions } from '../base/collisions.ts';
import type { DbClock } from '../base/db-clock.ts';
import { asEngineError, EngineError } from '../base/errors.ts';
import { once } from '../base/requests.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import type { Random, Timers } from '../ports/ports.ts';
import type {
  Schedule,
  ScheduleChange,
  ScheduleName,
  SchedulePage,
  ScheduleRun,
  ScheduleRunPage,
  ScheduleSpec,
  ScheduleTransactions,
} from '../ports/schedules.ts';
import type { RequestKey, Store } from '../ports/store.ts';
import { decide, decideLast, submissionOf } from './schedule-rounds.ts';

export interface SchedulesParts {
  readonly store: Pick<Store, 'schedules' | 'together'>;
  readonly submissions: Pick<Submissions, 'check'>;
  readonly clock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  /** Scans the due schedules now. Never rejects. */
  readonly scanNow: () => Promise<void>;
}

/** Max times per backfill. */
const MAX_BACKFILLED = 1_000;

export interface Applied {
  readonly schedule: Schedule;
  readonly created: boolean;
}

/** Each method rejects with an EngineError: SCHEDULE_NOT_FOUND, and the errors of its RPC. */
export class Schedules {
  readonly #parts: SchedulesParts;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
  }

  /** Refuses a schedule that could never run: rules without any time, and a job that would be refused now. */
  async check(spec: ScheduleSpec): Promise<void> {
    if (spec.kind === 'SCHEDULE' && namesNone(spec.rules.times, this.#parts.clock.nowUs()))
      throw badField('schedule.times', 'names no time that is still to come');
    const field = spec.kind === 'SCHEDULE' ? 'schedule.job' : 'trigger.job';
    const job = submissionOf(spec, { nominalUs: 0 });
    await this.#parts.submissions.check(spec.namespace, job, field, spec.kind === 'TRIGGER');
  }

  /** Creates or changes a schedule. A repeat returns it in its current state. */
  async apply(spec: ScheduleSpec, etag: string, request: RequestKey | undefined): Promise<Applied> {
    const refusal: unknown = await this.check(spec).catch((error) => error);
    const scheduleId = uuidFromBytes(this.#parts.random.bytes16());
    const change = await this.#change(spec, request, async (store) => {
      // Thrown only here, since the call is not a repeat: a repeat's request was valid when it was carried out.
      if (refusal) throw refusal;
      return store.apply(spec, etag, scheduleId, decideLast, this.#parts.clock.nowUs());
    });
    // The scan sets the next time, which the answer contains.
    await this.#parts.scanNow();
    return { schedule: await this.get(spec), created: change?.kind === 'done' && change.created };
  }

  async get(name: ScheduleName): Promise<Schedule> {
    const found = await this.#parts.store.schedules.read(name);
    if (!found) throw scheduleNotFound(name);
    return found;
  }

  /** The next times of rules that are not stored, see `nextTimes`. Refuses those that never name a time. */
  preview(times: ScheduleTimes, count: number, afterUs: number | undefined): FoundTimes {
    if (namesNone(times, 0)) throw badField('times', 'names no time at all, as "0 0 30 2 *" does');
    return this.nextTimes(times, count, afterUs);
  }

  /** The next times of these rules after a time, by default now; fewer if too many excluded times come before them. */
  nextTimes(times: ScheduleTimes, count: number, afterUs = this.#parts.clock.nowUs()): FoundTimes {
    return new NominalTimes(times).between(afterUs, Number.POSITIVE_INFINITY, count);
  }

  list(namespace: string, kind: ScheduleKind, afterName: string, limit: number): Promise<SchedulePage> {
    return this.#parts.store.schedules.list(namespace, kind, afterName, limit);
  }

  async pause(name: ScheduleName, reason: string, request: RequestKey | undefined): Promise<Schedule> {
    return this.#changed(name, request, (store) => store.pause(name, reason));
  }

  async resume(name: ScheduleName, request: RequestKey | undefined): Promise<Schedule> {
    await this.#changed(name, request, (store) => store.resume(name, decide, this.#parts.clock.nowUs()));
    await this.#parts.scanNow();
    return this.get(name);
  }

  async delete(name: ScheduleName, request: RequestKey | undefined): Promise<void> {
    await this.#once(name, request, async (inner) => {
      if (!(await inner.schedules.delete(name))) throw scheduleNotFound(name);
      return true;
    });
  }

  /** Starts one run now, regardless of the times. The default policy is the schedule's own. */
  async trigger(
    name: ScheduleName,
    overlap: OverlapPolicy | undefined,
    request: RequestKey | undefined,
  ): Promise<ScheduleRun> {
    const { scheduleId, rules } = await this.get(name);
    const causeId = this.#causeId(request);
    const nominalUs = this.#parts.clock.nowUs();
    const run: PendingRun = { nominalUs, causeId, cause: 'TRIGGER', overlap: overlap ?? rules.overlap };
    await this.#changed(name, request, (store) => store.ask(name, [run]));
    await this.#parts.scanNow();
    const made = await this.#parts.store.schedules.readRun(scheduleId, causeId);
    // Deleted since, or a repeat of a call so old that its run is no longer kept.
    if (!made) throw scheduleNotFound(name);
    return made;
  }

  /** Starts one run for each time in [fromUs, toUs), including excluded and past ones. Returns their number. */
  async backfill(
    name: ScheduleName,
    span: { readonly fromUs: number; readonly toUs: number },
    overlap: OverlapPolicy,
    request: RequestKey | undefined,
  ): Promise<number> {
    const { rules } = await this.get(name);
    const { times, searchedUntilUs } = new NominalTimes(rules.times).between(
      span.fromUs - 1,
      span.toUs,
      MAX_BACKFILLED + 1,
    );
    if (searchedUntilUs !== undefined)
      throw badField(
        'end_time',
        `is behind more excluded times than are looked at, ${MAX_CANDIDATES_TOGETHER} in all; ask for a shorter span`,
      );
    if (times.length > MAX_BACKFILLED)
      throw badField('end_time', `is behind more than ${MAX_BACKFILLED} times of the schedule; ask for them in parts`);
    const made = { causeId: this.#causeId(request), cause: 'BACKFILL', overlap } as const;
    const runs = times.map((nominalUs): PendingRun => ({ nominalUs, ...made }));
    await this.#changed(name, request, (store) => store.ask(name, runs));
    await this.#parts.scanNow();
    return runs.length;
  }

  /** The request's own id: a repeat names the same runs. */
  #causeId(request: RequestKey | undefined): string {
    return request?.requestId ?? uuidFromBytes(this.#parts.random.bytes16());
  }

  async listRuns(name: ScheduleName, before: RunKey | undefined, limit: number): Promise<ScheduleRunPage> {
    const { scheduleId } = await this.get(name);
    return this.#parts.store.schedules.listRuns(scheduleId, before, limit);
  }

  /** The schedule after the change; for a repeat, in its current state. */
  async #changed(name: ScheduleName, request: RequestKey | undefined, work: Work): Promise<Schedule> {
    const change = await this.#change(name, request, work);
    return change?.kind === 'done' ? change.schedule : this.get(name);
  }

  /** Undefined: a call with this request id was carried out before. A refused call leaves the id unused. */
  async #change(name: ScheduleName, request: RequestKey | undefined, work: Work): Promise<ScheduleChange | undefined> {
    return this.#once(name, request, async ({ schedules }) => {
      const made = await work(schedules);
      if (made.kind !== 'done') throw refusalOf(name, made);
      return made;
    });
  }

  async #once<T>(
    { namespace }: ScheduleName,
    request: RequestKey | undefined,
    work: (store: Pick<Store, 'schedules'>) => Promise<T>,
  ): Promise<T | undefined> {
    const { store } = this.#parts;
    try {
      const result = await retryCollisions(this.#parts, () => once(store, namespace, request, work));
      return result.repeated ? undefined : result.value;
    } catch (error) {
      throw asEngineError(error);
    }
  }
}

/** Times behind too many excluded ones to be found in one search count as existing: later searches find them. */
function namesNone(times: ScheduleTimes, nowUs: number): boolean {
  const { timeUs, searchedUntilUs } = new NominalTimes(times).after(nowUs);
  return timeUs === undefined && searchedUntilUs === undefined;
}

type Work = (store: ScheduleTransactions) => Promise<ScheduleChange>;

function badField(field: string, description: string): EngineError {
  return new EngineError('INVALID_FIELD', `${field} ${description}`, {
    field,
    violations: [{ field, description }],
  });
}

function scheduleNotFound({ namespace, name, kind }: ScheduleName): EngineError {
  if (kind === 'TRIGGER')
    return new EngineError(
      'TRIGGER_NOT_FOUND',
      `namespace ${namespace} has no trigger ${name}; ApplyTrigger makes it, ListTriggers shows the existing ones`,
      { metadata: { namespace, trigger: name } },
    );
  return new EngineError(
    'SCHEDULE_NOT_FOUND',
    `namespace ${namespace} has no schedule ${name}; ApplySchedule makes it, ListSchedules shows the existing ones`,
    { metadata: { namespace, schedule: name } },
  );
}

function refusalOf(name: ScheduleName, change: ScheduleChange): EngineError {
  const word = name.kind === 'TRIGGER' ? 'trigger' : 'schedule';
  const metadata = { namespace: name.namespace, [word]: name.name };
  switch (change.kind) {
    case 'stale':
      return new EngineError(
        'ETAG_STALE',
        `${word} ${name.name} has changed since it was read: read it again, and repeat the change with its new etag`,
        { metadata: { ...metadata, etag: change.etag } },
      );
    case 'full':
      return new EngineError(
        'OVERLOADED',
        `${word} ${name.name} has ${change.pending} waiting runs; let some of them start before you request more`,
        { metadata: { ...metadata, pending: String(change.pending) }, retryAfterMs: 5_000 },
      );
    case 'behind':
      return new EngineError(
        'OVERLOADED',
        `${word} ${name.name} is still catching up on missed times; change it once it has caught up`,
        { metadata, retryAfterMs: 1_000 },
      );
    default:
      return scheduleNotFound(name);
  }
}
