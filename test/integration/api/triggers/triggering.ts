/** Shared helpers of the tests of triggers: conditions, signals, runs and their jobs. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { Job, JobState } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { ScheduleRunState } from '@muster-jobs/sdk/gen/muster/v1/schedule_pb';
import { type SendSignalResponse, SignalService } from '@muster-jobs/sdk/gen/muster/v1/signal_service_pb';
import type {
  Trigger,
  TriggerConditionSchema,
  TriggerProgress,
  TriggerRun,
  TriggerSchema,
} from '@muster-jobs/sdk/gen/muster/v1/trigger_pb';
import { TriggerService } from '@muster-jobs/sdk/gen/muster/v1/trigger_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import { eventually } from '../../../support/base/eventually.ts';
import { type Outcome, outcomes, type TestWorker } from '../base/test-worker.ts';
import type { World } from '../base/world.ts';

export type Condition = Exclude<MessageInitShape<typeof TriggerConditionSchema>, { readonly $typeName: string }>;
type TriggerInit = Exclude<MessageInitShape<typeof TriggerSchema>, Trigger>;
export type Changes = Omit<TriggerInit, 'job'> & { readonly job?: Exclude<TriggerInit['job'], undefined> };

interface Expressions {
  readonly filter?: string;
  readonly key?: string;
}

type On = 'signal' | 'asset' | 'schedule';
const cause = (on: On, name: string, expressions: Expressions): Condition => ({
  kind: { case: 'cause', value: { ...expressions, on: { case: on, value: { name } } } },
});
export const onSignal = (name: string, expressions: Expressions = {}) => cause('signal', name, expressions);
export const onAsset = (name: string, expressions: Expressions = {}) => cause('asset', name, expressions);
export const onSchedule = (name: string, expressions: Expressions = {}) => cause('schedule', name, expressions);
export const onJob = (definition: string, states: JobState[] = [], expressions: Expressions = {}): Condition => ({
  kind: { case: 'cause', value: { ...expressions, on: { case: 'job', value: { definition, states } } } },
});
export const allOf = (conditions: Condition[], withinMs?: number): Condition => ({
  kind: { case: 'allOf', value: { conditions, ...(withinMs === undefined ? {} : { within: span(withinMs) }) } },
});
export const anyOf = (conditions: Condition[]): Condition => ({ kind: { case: 'anyOf', value: { conditions } } });

export const span = (ms: number) => ({ seconds: BigInt(Math.trunc(ms / 1_000)), nanos: (ms % 1_000) * 1e6 });
/** As in an input: in whole milliseconds that have passed; `timestampDate` rounds up. */
export const at = (time: Timestamp | undefined) =>
  time ? new Date(Number(time.seconds) * 1_000 + Math.floor(time.nanos / 1e6)).toISOString() : '';
export const json = (text: string) => ({ data: new TextEncoder().encode(text), contentType: 'application/json' });
export const inputText = ({ input }: Pick<Job, 'input'>) => new TextDecoder().decode(input?.data);
/** A time as it is in an input. */
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

export function only<T>([one]: readonly T[]): T {
  if (one === undefined) throw new Error('there is none');
  return one;
}

/** Does the work for each, in groups of this size that the replica accepts at once. */
export async function inGroups<T, R>(size: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let from = 0; from < items.length; from += size)
    results.push(...(await Promise.all(items.slice(from, from + size).map(work))));
  return results;
}

/** A cause in an input. */
export interface CauseJson {
  readonly condition: number;
  readonly count: number;
  readonly kind: string;
  readonly name: string;
  readonly time: string;
  readonly job_id?: string;
  readonly payload?: unknown;
  readonly [field: string]: unknown;
}

export interface InputJson {
  readonly trigger: string;
  readonly key: string;
  readonly causes: readonly CauseJson[];
}

const { applyTrigger, explainTrigger, getTrigger, listTriggerRuns } = TriggerService.method;
const decided: readonly ScheduleRunState[] = [
  ScheduleRunState.STARTED,
  ScheduleRunState.SKIPPED,
  ScheduleRunState.BUFFERED,
];

export class Triggering {
  readonly #world: World;
  #names = 0;

  constructor(world: World) {
    this.#world = world;
  }

  newName(what = 'trigger'): string {
    return `${what}-${++this.#names}`;
  }

  /** A new trigger by default, with a definition that no worker has. */
  async apply({ name = this.newName(), ...changes }: Changes = {}): Promise<Trigger> {
    const definition = changes.job?.definition ?? (await this.#world.define());
    const trigger = {
      condition: onSignal(this.newName('signal')),
      ...changes,
      name,
      job: { ...changes.job, definition },
    };
    const { trigger: applied } = await this.#world.rpc.call(applyTrigger, { trigger });
    if (!applied) throw new Error('an answer without a trigger');
    return applied;
  }

  /** A new trigger of this condition. Returns its name. */
  async on(condition: Condition, changes: Changes = {}): Promise<string> {
    return (await this.apply({ condition, ...changes })).name;
  }

  async get(name: string): Promise<Trigger> {
    const { trigger } = await this.#world.rpc.call(getTrigger, { name });
    if (!trigger) throw new Error('an answer without a trigger');
    return trigger;
  }

  /** Sends a signal with this value as its payload; a string is the payload’s text. */
  send(name: string, payload: unknown = {}, key = ''): Promise<SendSignalResponse> {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    return this.#world.rpc.call(SignalService.method.sendSignal, { name, key, payload: json(text) });
  }

  async runsOf(name: string): Promise<TriggerRun[]> {
    return (await this.#world.rpc.call(listTriggerRuns, { name, pageSize: 1_000 })).runs;
  }

  /** The runs, newest first, once that many have been decided. */
  async runs(name: string, count: number): Promise<TriggerRun[]> {
    return eventually(`${count} runs of ${name} are decided`, async () => {
      const found = await this.runsOf(name);
      return found.length >= count && found.every(({ state }) => decided.includes(state)) && found;
    });
  }

  /** The only run, with its job. */
  async onlyRun(name: string): Promise<{ readonly run: TriggerRun; readonly job: Job; readonly input: InputJson }> {
    const runs = await this.runs(name, 1);
    if (runs.length > 1) throw new Error(`${name} has ${runs.length} runs`);
    const run = only(runs);
    const job = await this.#world.getJob(run.jobId);
    return { run, job, input: JSON.parse(inputText(job)) };
  }

  /** The inputs of the runs, oldest first, once there are that many. */
  async inputs(name: string, count: number): Promise<InputJson[]> {
    const runs = await this.runs(name, count);
    const jobs = await inGroups(100, runs.reverse(), ({ jobId }) => this.#world.getJob(jobId));
    return jobs.map((job) => JSON.parse(inputText(job)));
  }

  explain(name: string, page: { readonly pageSize?: number; readonly pageToken?: string } = {}) {
    return this.#world.rpc.call(explainTrigger, { name, ...page });
  }

  async progress(name: string): Promise<TriggerProgress[]> {
    return (await this.explain(name)).progress;
  }

  /** The progress, once it has as many causes in all. */
  holds(name: string, causes: number): Promise<TriggerProgress[]> {
    return eventually(`${name} holds ${causes} causes`, async () => {
      const progress = await this.progress(name);
      const counts = progress.flatMap(({ held }) => held.map(({ count }) => Number(count)));
      return counts.reduce((sum, count) => sum + count, 0) === causes && progress;
    });
  }

  /** The jobs of a trigger, newest first. */
  async jobsOf(name: string): Promise<Job[]> {
    const filter = { labels: { 'muster/trigger': name } };
    const jobs: Job[] = [];
    let pageToken = '';
    do {
      const page = await this.#world.rpc.call(JobService.method.listJobs, { filter, pageSize: 1_000, pageToken });
      jobs.push(...page.jobs);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return jobs;
  }
}

/** The worker takes the next job and ends it. */
export async function endNext(worker: TestWorker, outcome: Outcome = outcomes.result()): Promise<Assignment> {
  const attempt = only(await worker.take(1));
  await worker.report({ of: attempt, outcome });
  return attempt;
}
