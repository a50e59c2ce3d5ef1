/** The turns of jobs with fairness keys: each job ranks behind the previous one of its key. */
import { expiryOf } from '../jobs/decide.ts';
import type { Change } from '../jobs/run.ts';
import { fairStep } from './fair-rank.ts';
import { rankOf } from './rank.ts';

/** A job that is about to become ready. */
export interface FairJob {
  readonly jobId: string;
  readonly laneId: number;
  readonly fairnessKey: string;
  readonly priority: number;
  /** Caps the rank. */
  readonly expireTimeUs?: number | null | undefined;
}

export interface FairnessKey {
  readonly namespace: string;
  readonly queue: string;
  readonly fairnessKey: string;
}

/** A key whose last job waits: its new jobs follow that one. */
export interface WaitingKey extends FairnessKey {
  readonly lastRank: number;
}

/** A key after its new jobs. */
export interface LastOfKey extends WaitingKey {
  readonly lastJobId: string;
  /** By how much the new jobs moved its last rank. */
  readonly addedUs: number;
}

/** The lane of a job. */
export interface TurnLane {
  readonly namespace: string;
  readonly queue: string;
  /** By key. Undefined: none. */
  readonly weights: Readonly<Record<string, number>> | undefined;
  /** The rank from which a key continues that has nothing waiting. */
  readonly virtualTimeUs: number;
}

export interface Turns {
  /** By job id. */
  readonly ranks: ReadonlyMap<string, number>;
  readonly last: readonly LastOfKey[];
}

/** Jobs of one key, in their order. */
interface Group extends FairnessKey {
  readonly step: number;
  readonly jobs: FairJob[];
  fromRank: number;
}

/** A job that becomes ready after a wait for a time takes its turn among the others of its fairness key. */
export function turnOf(change: Change): FairJob | undefined {
  const { run } = change;
  const hadTurn = run.state !== 'SCHEDULED' && run.state !== 'BLOCKED' && run.runTimeUs === null;
  if (change.kind !== 'continue' || change.state !== 'READY' || hadTurn || run.fairnessKey === null) return undefined;
  const { jobId, fairnessKey } = run;
  const { priority, expireTimeUs } = change.record ?? run;
  return { jobId, laneId: change.laneId, fairnessKey, priority, expireTimeUs: expiryOf({ ...run, expireTimeUs }) };
}

/** `lanes`: by their ids, all of the jobs' lanes. */
export function takeTurns(
  jobs: readonly FairJob[],
  lanes: ReadonlyMap<number, TurnLane>,
  waiting: readonly WaitingKey[],
): Turns {
  const lastRanks = new Map(waiting.map((key) => [nameOf(key), key.lastRank]));
  const ranks = new Map<string, number>();
  const last = groupsOf(jobs, lanes).map((group): LastOfKey => {
    const { namespace, queue, fairnessKey, step } = group;
    const fromRank = Math.max(group.fromRank, lastRanks.get(nameOf(group)) ?? 0);
    group.jobs.forEach((job, i) => {
      ranks.set(job.jobId, rankOf(fromRank + (i + 1) * step, job.priority, job.expireTimeUs));
    });
    const addedUs = step * group.jobs.length;
    const lastJobId = group.jobs.at(-1)?.jobId as string;
    return { namespace, queue, fairnessKey, lastRank: fromRank + addedUs, lastJobId, addedUs };
  });
  return { ranks, last };
}

function nameOf({ namespace, queue, fairnessKey }: FairnessKey): string {
  return `${namespace}/${queue}/${fairnessKey}`;
}

function groupsOf(jobs: readonly FairJob[], lanes: ReadonlyMap<number, TurnLane>): Group[] {
  const byQueue = new Map<string, Map<string, Group>>();
  for (const job of jobs) {
    const { namespace, queue, weights, virtualTimeUs } = lanes.get(job.laneId) as TurnLane;
    const { fairnessKey } = job;
    const queueKey = `${namespace}/${queue}`;
    const groups = byQueue.get(queueKey) ?? new Map<string, Group>();
    byQueue.set(queueKey, groups);
    const group = groups.get(fairnessKey);
    if (group) {
      group.jobs.push(job);
      group.fromRank = Math.min(group.fromRank, virtualTimeUs);
    } else {
      const step = fairStep(weightOf(fairnessKey, weights));
      groups.set(fairnessKey, { namespace, queue, fairnessKey, step, jobs: [job], fromRank: virtualTimeUs });
    }
  }
  return [...byQueue.values()].flatMap((groups) => [...groups.values()]);
}

/** A key may have the name of a member of every object, such as `constructor`. */
function weightOf(fairnessKey: string, weights: TurnLane['weights'] = {}): number {
  return Object.hasOwn(weights, fairnessKey) ? (weights[fairnessKey] as number) : 1;
}
