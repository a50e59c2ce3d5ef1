/**
 * Looks for deadlocks in a namespace. A circle has to lead through a handler that waits by a call: whoever waits in another way
 * holds nothing. So it begins at those, and reads what they wait for, and that in turn. What is beyond its bounds counts as able to
 * end: what it finds is one, and it may miss some.
 */
import { BATCH_DEFINITION } from '../../../domain/batches/batch.ts';
import { type AwaitedEnd, Deadlocks, type StuckCandidate } from '../../../domain/dependencies/deadlock.ts';
import type { Dependency } from '../../../domain/dependencies/dependencies.ts';
import type { KnownLane } from '../../dispatch/known-lane.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import type { AwaitedJob, DeadlockStore, WaitingHandler } from '../../ports/deadlocks.ts';
import { NeededPlaces, type NeededPlacesParts } from './needed-places.ts';

/** Calls of handlers that are looked at. */
const MAX_WAITS = 2_000;
/** Jobs that are waited for. */
const MAX_VISITED = 5_000;
/** That are read at once. */
const MAX_AT_ONCE = 200;

export interface DeadlockSearchParts extends NeededPlacesParts {
  readonly store: NeededPlacesParts['store'] & {
    readonly deadlocks: Pick<DeadlockStore, 'readWaitingHandlers' | 'readAwaitedJobs' | 'readOpenChildren'>;
  };
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
}

export interface FoundDeadlocks {
  readonly deadlocks: Deadlocks;
  /** There is more than was looked at. */
  readonly isCut: boolean;
}

export class DeadlockSearch {
  readonly #parts: DeadlockSearchParts;

  constructor(parts: DeadlockSearchParts) {
    this.#parts = parts;
  }

  /** Among handlers that wait, what they wait for, and these jobs. Undefined: no handler waits. */
  async findDeadlocks(namespace: string, jobIds: readonly string[] = []): Promise<FoundDeadlocks | undefined> {
    const { handlers, isCut } = await this.#parts.store.deadlocks.readWaitingHandlers(namespace, MAX_WAITS);
    if (handlers.length === 0) return undefined;
    const walk = await this.#walk(handlers, jobIds);
    const laneIds = [...handlers, ...walk.jobs].map(({ laneId }) => laneId);
    await this.#parts.lanes.load([...new Set(laneIds)].filter((laneId) => !this.#parts.lanes.get(laneId)));
    const waiting = walk.jobs.map((job) => ({ job, lane: this.#taskLaneOf(job.laneId) }));
    const places = await NeededPlaces.read(
      this.#parts,
      namespace,
      waiting.flatMap(({ job, lane }) => (lane ? [{ lane, limitId: job.limitId }] : [])),
    );
    const candidates = [
      ...handlers.map((handler) => this.#holding(handler)),
      ...waiting.map(
        ({ job, lane }): StuckCandidate => ({
          jobId: job.jobId,
          state: job.state,
          held: undefined,
          resources: lane?.needs.resources ?? {},
          awaits: walk.awaitsOf(job),
          needs: lane && places.of(lane, job.limitId),
        }),
      ),
    ];
    return { deadlocks: new Deadlocks(candidates), isCut: isCut || walk.isCut || places.isCut };
  }

  async #walk(handlers: readonly WaitingHandler[], jobIds: readonly string[]): Promise<Walk> {
    const { deadlocks } = this.#parts.store;
    const walk = new Walk(handlers.map(({ jobId }) => jobId));
    walk.reach([...jobIds, ...handlers.flatMap(({ targetJobIds }) => targetJobIds)]);
    for (let ids = walk.next(); ids.length > 0; ids = walk.next()) {
      const jobs = (await deadlocks.readAwaitedJobs(ids)).filter(isWaiting);
      const parents = jobs.filter(hasSteps).map(({ jobId }) => jobId);
      const children = parents.length > 0 ? await deadlocks.readOpenChildren(parents, MAX_VISITED) : [];
      // Any of those that are missing might end, and so let its parent end.
      const isWhole = children.length < MAX_VISITED;
      if (isWhole) walk.add(jobs, children);
      else
        walk.add(
          jobs.filter((job) => !hasSteps(job)),
          [],
        );
      walk.isCut ||= !isWhole;
    }
    return walk;
  }

  #holding({ jobId, state, laneId, limitId, sessionId, workerName, targetJobIds }: WaitingHandler): StuckCandidate {
    const lane = this.#parts.lanes.get(laneId);
    const limitKeys = lane ? NeededPlaces.keysOf(lane, limitId) : [];
    return {
      jobId,
      state,
      held: { sessionId, workerName, limitKeys },
      resources: lane?.needs.resources ?? {},
      // It may be content with the first one that ends.
      awaits: targetJobIds.map((target) => ({ jobId: target, isEnough: true })),
      needs: undefined,
    };
  }

  /** Undefined: no worker runs its jobs. */
  #taskLaneOf(laneId: number): KnownLane | undefined {
    const lane = this.#parts.lanes.get(laneId);
    const isRun = lane?.definitionBody.workflow || lane?.definitionBody.wait || lane?.definition === BATCH_DEFINITION;
    return isRun ? undefined : lane;
  }
}

/** Those that workers have, or that were asked to stop, end without others. */
function isWaiting({ state }: AwaitedJob): boolean {
  return state !== 'ASSIGNED' && state !== 'RUNNING' && state !== 'CANCELLING';
}

/** A workflow or a batch that was started. What else is WAITING has an attempt, or waits for something from outside. */
function hasSteps({ state, attempt }: AwaitedJob): boolean {
  return state === 'WAITING' && attempt === 0;
}

/** What is waited for, as far as it was reached. */
class Walk {
  readonly jobs: AwaitedJob[] = [];
  isCut = false;
  readonly #reached: Set<string>;
  readonly #open: string[] = [];
  readonly #children = new Map<string, string[]>();

  /** @param known Need no reading. */
  constructor(known: readonly string[]) {
    this.#reached = new Set(known);
  }

  next(): string[] {
    return this.#open.splice(0, MAX_AT_ONCE);
  }

  add(
    jobs: readonly AwaitedJob[],
    children: readonly { readonly parentJobId: string; readonly jobId: string }[],
  ): void {
    for (const { parentJobId, jobId } of children) {
      const siblings = this.#children.get(parentJobId);
      if (siblings) siblings.push(jobId);
      else this.#children.set(parentJobId, [jobId]);
    }
    this.jobs.push(...jobs);
    for (const job of jobs) this.reach(this.awaitsOf(job).map(({ jobId }) => jobId));
  }

  reach(jobIds: readonly string[]): void {
    for (const jobId of jobIds) {
      if (this.#reached.has(jobId)) continue;
      if (this.#reached.size >= MAX_VISITED) {
        this.isCut = true;
        return;
      }
      this.#reached.add(jobId);
      this.#open.push(jobId);
    }
  }

  /** Another end of a step may end its workflow, as may that of a member of a batch. */
  awaitsOf({ jobId, dependencies }: AwaitedJob): AwaitedEnd[] {
    const children = (this.#children.get(jobId) ?? []).map((child) => ({ jobId: child, isEnough: true }));
    return [...children, ...dependencies.flatMap(endOf)];
  }
}

/** Somebody may publish an asset any time. A step is stuck if its workflow is: none of it goes on then. */
function endOf({ on, condition }: Dependency): AwaitedEnd[] {
  // Ending otherwise, it lets the dependent be skipped.
  const isEnough = condition !== 'ENDED';
  switch (on.kind) {
    case 'JOB':
      return [{ jobId: on.jobId, isEnough }];
    case 'STEP':
      return [{ jobId: on.workflowJobId, step: on.step, isEnough }];
    case 'ASSET':
      return [];
  }
}
