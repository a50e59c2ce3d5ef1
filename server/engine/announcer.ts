/**
 * Notifies every part of the engine that a committed transaction, or a hint of another replica, concerns. Nothing else
 * in the engine does that.
 */
import { entryKindOf, hasBegun } from '../domain/jobs/inbox.ts';
import type { Change } from '../domain/jobs/run.ts';
import type { Hint, LaneHint } from './base/messages.ts';
import type { CompletedAttempt } from './ports/attempts.ts';
import type { Bus } from './ports/ports.ts';

/** A permit released by an attempt or a waiting job. */
export interface ReleasedPermit {
  readonly laneId: number;
  readonly limitId?: string | null | undefined;
  /** The session that held it, if any. */
  readonly sessionId?: string | null | undefined;
}

/** What a committed transaction changed. Times are in µs since 1970. */
export interface Facts {
  /** The earliest due time of the changed jobs. */
  readonly dueUs?: number | undefined;
  /** The outbox may have a new row. */
  readonly outbox?: boolean;
  /** Permits and resources that may have been released. */
  readonly freed?: readonly ReleasedPermit[];
  /** Lanes with jobs that became ready. */
  readonly ready?: readonly LaneHint[];
  /** Open jobs that changed. */
  readonly changed?: readonly string[];
  readonly ended?: readonly string[];
  /** Workflows and batches whose inbox may have a new row. */
  readonly workflows?: readonly string[];
  /** The inbox of dependencies may have a new row. */
  readonly dependencies?: boolean;
  /** Jobs of a workflow or a batch must be paused or resumed with it. */
  readonly childPauses?: boolean;
  /** Triggers may have new causes. */
  readonly triggers?: boolean;
  /** Schedules and triggers may have runs to start. */
  readonly scheduleRuns?: boolean;
}

/** A part of the engine that acts on some of the facts. */
export type Listener = { readonly [K in keyof Facts]?: (value: NonNullable<Facts[K]>) => void };

/** A part of the engine that acts on some of the hints of other replicas. */
export type HintListener = { readonly [K in Hint['kind']]?: (hint: Extract<Hint, { readonly kind: K }>) => void };
type HintHandler = (hint: Hint) => void;

/** Released permits are announced before ready lanes, so that a claim for these lanes finds the permits. */
const ORDER = [
  'dueUs',
  'outbox',
  'freed',
  'ready',
  'changed',
  'ended',
  'workflows',
  'dependencies',
  'childPauses',
  'triggers',
  'scheduleRuns',
] as const satisfies readonly (keyof Facts)[];

export class Announcer {
  readonly #listeners: Listener[] = [];
  readonly #hintListeners: HintListener[] = [];

  /** Listeners are notified of a fact in the order of their subscriptions. */
  subscribe(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** The same for hints. */
  subscribeHints(listener: HintListener): void {
    this.#hintListeners.push(listener);
  }

  /** Connects the replicas. Call it once all parts have subscribed: other replicas are notified last. */
  connect(bus: Pick<Bus, 'announce' | 'onHint'>): void {
    this.subscribe({
      ready: (lanes) => bus.announce({ kind: 'ready', lanes }),
      ended: (jobIds) => bus.announce({ kind: 'ended', jobIds }),
    });
    bus.onHint((hint) => {
      for (const listener of this.#hintListeners) (listener[hint.kind] as HintHandler | undefined)?.(hint);
    });
  }

  /** Call it after the commit. Empty facts notify nobody. */
  committed(facts: Facts): void {
    for (const key of ORDER) this.#notify(key, facts[key]);
  }

  #notify<K extends keyof Facts>(key: K, value: Facts[K]): void {
    if (value === undefined || value === false || (Array.isArray(value) && value.length === 0)) return;
    for (const listener of this.#listeners) listener[key]?.(value as NonNullable<Facts[K]>);
  }
}

/** Facts about jobs that a transaction moved. */
export function factsOfChanges(changes: readonly Change[]): Facts {
  const ends = changes.filter((change) => change.kind === 'end');
  const others = changes.filter((change) => change.kind === 'continue');
  return {
    dueUs: others.reduce<number | undefined>((first, { dueTimeUs }) => earlier(first, dueTimeUs), undefined),
    outbox: changes.length > 0,
    freed: changes.flatMap((change) => releasedBy(change) ?? []),
    ready: lowestRanks([
      ...others.filter(({ state }) => state === 'READY'),
      ...ends.flatMap(({ cleanup }) => cleanup ?? []),
    ]),
    changed: others.map(({ run }) => run.jobId),
    ended: ends.map(({ run }) => run.jobId),
    workflows: changes.flatMap((change) => workflowOf(change) ?? []),
    dependencies: ends.some(({ run }) => run.notifiesDependents),
    childPauses: others.some((change) => entryKindOf(change) === 'PAUSE_CHILDREN'),
  };
}

/** Facts about attempts that succeeded. */
export function factsOfCompletions(completed: readonly CompletedAttempt[]): Facts {
  return {
    outbox: completed.length > 0,
    freed: completed,
    ended: completed.map(({ jobId }) => jobId),
    workflows: [...new Set(completed.flatMap(({ parentJobId }) => parentJobId ?? []))],
    dependencies: completed.some(({ notifiesDependents }) => notifiesDependents),
  };
}

function earlier(first: number | undefined, timeUs: number | null): number | undefined {
  return timeUs === null || (first !== undefined && first <= timeUs) ? first : timeUs;
}

function lowestRanks(jobs: readonly LaneHint[]): LaneHint[] {
  const ranks = new Map<number, number>();
  for (const { laneId, rank } of jobs) ranks.set(laneId, Math.min(ranks.get(laneId) ?? rank, rank));
  return Array.from(ranks, ([laneId, rank]) => ({ laneId, rank }));
}

/** The workflow with a new inbox row: the parent of the job that ended, or the workflow that must stop or continue. */
function workflowOf(change: Change): string | undefined {
  if (change.kind === 'end') return change.run.parentJobId ?? undefined;
  return hasBegun(change.run) ? change.run.jobId : undefined;
}

const withSession: ReadonlySet<string> = new Set(['ASSIGNED', 'RUNNING', 'CANCELLING']);

/** Undefined: the job keeps its permit. */
function releasedBy(change: Change): ReleasedPermit | undefined {
  const { laneId, limitId, state, sessionId } = change.run;
  const keeps = change.kind === 'continue' && withSession.has(change.state);
  return keeps || (limitId === null && !withSession.has(state)) ? undefined : { laneId, limitId, sessionId };
}
