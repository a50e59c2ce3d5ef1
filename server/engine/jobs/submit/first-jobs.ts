/**
 * Stores calls with the first jobs of their lanes: lanes and queues are made in the transaction that stores the jobs,
 * so that a refused or repeated call makes none.
 */
import type { LaneKey } from '../../../domain/dispatch/placement.ts';
import { retryCollisions } from '../../base/collisions.ts';
import { asEngineError } from '../../base/errors.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { Random, Timers } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import type { SubmitCall, SubmitResult } from '../../ports/submissions.ts';
import { announceJobs, type SubmissionFlushParts, storeCalls } from './flush.ts';

/** The lane of a job, to be made. */
export interface WantedLane {
  readonly key: LaneKey;
  /** The circuit breaker of the job's definition. */
  readonly breaker: string | undefined;
}

/** By the job's index in its call. */
export type WantedLanes = ReadonlyMap<number, WantedLane>;

export interface FirstJobsParts extends SubmissionFlushParts {
  readonly store: Pick<Store, 'together' | 'submit' | 'findJobs'>;
  readonly lanes: Lanes;
  readonly timers: Timers;
  readonly random: Random;
  /** Stores a call whose lanes all exist. */
  readonly add: (call: SubmitCall) => Promise<SubmitResult>;
}

export class FirstJobs {
  readonly #parts: FirstJobsParts;

  constructor(parts: FirstJobsParts) {
    this.#parts = parts;
  }

  /** If many callers have the first job of a lane, one makes it; the others wait and then find it. */
  async submit(call: SubmitCall, wanted: WantedLanes): Promise<SubmitResult> {
    const { lanes, add } = this.#parts;
    const keys = Array.from(wanted.values(), ({ key }) => key);
    if (await lanes.othersMake(keys)) {
      const found = await this.#find(wanted);
      if (found.size === wanted.size) return add(withLanes(call, found));
    }
    return lanes.making(keys, () => this.#store(call, wanted));
  }

  async #find(wanted: WantedLanes): Promise<Map<number, number>> {
    const found = new Map<number, number>();
    for (const [index, { key, breaker }] of wanted) {
      const laneId = await this.#parts.lanes.find(key, breaker);
      if (laneId !== undefined) found.set(index, laneId);
    }
    return found;
  }

  async #store(call: SubmitCall, wanted: WantedLanes): Promise<SubmitResult> {
    const { store, dispatcher, lanes } = this.#parts;
    let made = call;
    const submit = async () => {
      const stored = await store.together(async (inner) => {
        made = withLanes(call, await makeLanes(inner, wanted));
        const [result] = (await inner.submit([made])) as [SubmitResult];
        if (result.kind !== 'stored' || result.repeated) throw new NothingStored(result);
        return result;
      });
      for (const [index, { key }] of wanted) lanes.learn(key, made.jobs[index]?.laneId as number);
      return [stored];
    };
    try {
      const parts = { store: { submit, findJobs: (jobIds: readonly string[]) => store.findJobs(jobIds) }, dispatcher };
      const results = await retryCollisions(this.#parts, () => storeCalls(parts, [call], new Map()));
      announceJobs(this.#parts.announcer, [made], results, new Set());
      return results[0] as SubmitResult;
    } catch (error) {
      if (error instanceof NothingStored) return error.result;
      throw asEngineError(error);
    }
  }
}

/** Thrown to roll the transaction back. */
class NothingStored extends Error {
  readonly result: SubmitResult;
  constructor(result: SubmitResult) {
    super(result.kind);
    this.result = result;
  }
}

function withLanes(call: SubmitCall, laneIds: ReadonlyMap<number, number>): SubmitCall {
  return { ...call, jobs: call.jobs.map((job, i) => ({ ...job, laneId: laneIds.get(i) ?? job.laneId })) };
}

/** Sorted by queue, so that two callers that make lanes of the same queues can't deadlock. */
async function makeLanes(store: Pick<Store, 'ensureLane'>, wanted: WantedLanes): Promise<Map<number, number>> {
  const byQueue = [...wanted].sort(([, a], [, b]) => (a.key.queue < b.key.queue ? -1 : 1));
  const made = new Map<number, number>();
  const ids = new Map<string, number>();
  for (const [index, { key, breaker }] of byQueue) {
    const text = JSON.stringify(key);
    const laneId = ids.get(text) ?? (await store.ensureLane(key, breaker));
    ids.set(text, laneId);
    made.set(index, laneId);
  }
  return made;
}
