/** What jobs need before a worker can have them: a place under each of their limits, and room in a session. */
import type { LimitedPlaces, Needs, SessionPlaces } from '../../../domain/dependencies/deadlock.ts';
import { fitting, type OpenSession } from '../../../domain/explain/worker-constraints.ts';
import type { KnownLane } from '../../dispatch/known-lane.ts';
import { handlerOf } from '../../dispatch/lanes.ts';
import type { Limits } from '../../dispatch/limits.ts';
import type { ExplainStore, LimitOfJob } from '../../ports/explanations.ts';
import { MAX_SESSIONS, type OpenSessions } from '../../sessions/open-sessions.ts';

/** Pairs of a queue and a definition whose limits are read. */
const MAX_PAIRS = 50;

export interface NeededPlacesParts {
  readonly store: { readonly explain: Pick<ExplainStore, 'readLimits'> };
  readonly limits: Pick<Limits, 'laneOf'>;
  readonly sessions: Pick<OpenSessions, 'read'>;
}

/** A job that waits, by where it does. */
export interface WaitingPlace {
  readonly lane: KnownLane;
  readonly limitId: string | undefined;
}

export class NeededPlaces {
  readonly #limits: ReadonlyMap<string, readonly LimitOfJob[]>;
  readonly #sessions: readonly OpenSession[];
  readonly #needs = new Map<string, Needs>();
  readonly #sessionsOfLane = new Map<number, readonly SessionPlaces[]>();
  /** There are more limits or sessions than were looked at. */
  readonly isCut: boolean;

  private constructor(
    limits: ReadonlyMap<string, readonly LimitOfJob[]>,
    sessions: readonly OpenSession[],
    isCut: boolean,
  ) {
    this.#limits = limits;
    this.#sessions = sessions;
    this.isCut = isCut;
  }

  static async read(parts: NeededPlacesParts, namespace: string, jobs: readonly WaitingPlace[]): Promise<NeededPlaces> {
    const limits = new Map<string, readonly LimitOfJob[]>();
    if (jobs.length === 0) return new NeededPlaces(limits, [], false);
    // One of a pair that has a key is enough: the others of their definition have as many places for theirs.
    const pairs = new Map(jobs.map((job) => [pairOf(job.lane), job]));
    for (const job of jobs) if (job.limitId) pairs.set(pairOf(job.lane), job);
    for (const [pair, { lane, limitId }] of [...pairs].slice(0, MAX_PAIRS)) {
      const found = await parts.store.explain.readLimits({ ...parts.limits.laneOf(lane), limitId });
      limits.set(pair, found.limits);
    }
    const sessions = await parts.sessions.read(namespace);
    // Of more sessions than are read, one that is not may have room.
    const areAll = sessions.length < MAX_SESSIONS;
    return new NeededPlaces(limits, areAll ? sessions : [], !areAll || pairs.size > MAX_PAIRS);
  }

  /** Where a job that a worker has takes a place. */
  static keysOf({ queue, definition, cleanup }: KnownLane, limitId: string | undefined): string[] {
    if (cleanup) return [];
    return [
      keyOf('QUEUE_LIMIT', queue),
      keyOf('DEFINITION_LIMIT', definition),
      ...(limitId ? [keyOf('KEY_LIMIT', limitId)] : []),
    ];
  }

  /** Jobs of one lane and one key get the same. */
  of(lane: KnownLane, limitId: string | undefined): Needs {
    const key = `${lane.laneId}/${limitId}`;
    const needs = this.#needs.get(key) ?? { limits: this.#limitsOf(lane, limitId), sessions: this.#sessionsOf(lane) };
    this.#needs.set(key, needs);
    return needs;
  }

  #limitsOf(lane: KnownLane, limitId: string | undefined): LimitedPlaces[] {
    if (lane.cleanup) return [];
    return (this.#limits.get(pairOf(lane)) ?? []).flatMap(({ reason, name, capacity: { maxConcurrency: places } }) => {
      const of = reason === 'KEY_LIMIT' ? limitId : name;
      if (places === undefined || of === undefined) return [];
      return [{ key: keyOf(reason, of), name: `${names[reason]} ${name} (max_concurrency ${places})`, places }];
    });
  }

  #sessionsOf(lane: KnownLane): readonly SessionPlaces[] {
    const known = this.#sessionsOfLane.get(lane.laneId);
    if (known) return known;
    // One that drains takes nothing more; one that is not heard of may come back.
    const open = this.#sessions.filter(({ unavailable }) => unavailable !== 'draining');
    const able = fitting(open, { lane, handler: handlerOf(lane) }).map(
      ({ sessionId, workerName, slots, resources = {} }) => ({ sessionId, workerName, slots, resources }),
    );
    this.#sessionsOfLane.set(lane.laneId, able);
    return able;
  }
}

const names = {
  QUEUE_LIMIT: 'in queue',
  DEFINITION_LIMIT: 'under the limit of definition',
  KEY_LIMIT: 'under the limit of its key of definition',
};

function keyOf(reason: LimitOfJob['reason'], of: string): string {
  return `${reason} ${of}`;
}

function pairOf({ queue, definition }: KnownLane): string {
  return JSON.stringify([queue, definition]);
}
