/** Finds jobs that have missed their soft deadlines, says so, and reacts. Every replica looks, each at other jobs. */
import type { Change } from '../../../domain/jobs/run.ts';
import { decideRaise } from '../../../domain/jobs/soft-deadline.ts';
import type { Announcer } from '../../announcer.ts';
import type { DbClock } from '../../base/db-clock.ts';
import type { LaneHint } from '../../base/messages.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import { requireLanes } from '../../dispatch/unknown-lanes.ts';
import { Loop } from '../../loop.ts';
import type { ClosedDeadlines, MissedDeadline } from '../../ports/jobs.ts';
import type { Log, Random, Timers } from '../../ports/ports.ts';
import type { Cancels } from './cancels.ts';
import type { Changes, ChangesWithin, DecideJob } from './changes.ts';

const ROUND_MS = 1_000;
const PAGE = 1_000;
/** Max pages per round. */
const PAGES = 100;

export interface SoftDeadlinesParts {
  readonly changes: Changes;
  readonly cancels: Pick<Cancels, 'decide' | 'notify'>;
  readonly lanes: Pick<Lanes, 'get' | 'load'>;
  readonly announcer: Pick<Announcer, 'committed'>;
  readonly dbClock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

const isOpen = ({ rank }: MissedDeadline) => rank !== undefined;

export class SoftDeadlines {
  readonly #parts: SoftDeadlinesParts;
  readonly #loop: Loop;

  constructor(parts: SoftDeadlinesParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'soft deadlines', everyMs: ROUND_MS, run: () => this.#round() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #round(): Promise<undefined> {
    for (let page = 0; page < PAGES && !this.#loop.isStopped; page++) if ((await this.#page()) < PAGE) return;
  }

  /** One transaction. Resolves with the number of deadlines that it has closed. */
  async #page(): Promise<number> {
    const { changes, cancels, announcer, dbClock, lanes } = this.#parts;
    let closed: ClosedDeadlines = { count: 0, missed: [] };
    const made = await changes.applyTogether(async (within) => {
      closed = await within.store.closePassedDeadlines(PAGE, dbClock.nowUs());
      // The metrics name the definition and the queue of each.
      requireLanes(
        lanes,
        closed.missed.map(({ laneId }) => laneId),
      );
      return this.#react(within, closed.missed);
    });
    cancels.notify(made.filter(({ event }) => event === 'requestCancel'));
    const open = closed.missed.filter(isOpen);
    if (closed.missed.length > 0)
      announcer.committed({ outbox: true, ready: hintsOf(open), changed: open.map(({ jobId }) => jobId) });
    return closed.count;
  }

  /** The jobs are locked already. */
  async #react(within: ChangesWithin, missed: readonly MissedDeadline[]): Promise<Change[]> {
    const late = missed.filter((one) => isOpen(one) && one.reaction !== 'NOTIFY');
    const decide = this.#reactionTo(new Map(late.map((one) => [one.jobId, one])));
    const changes: Change[] = [];
    for (const [namespace, some] of Map.groupBy(late, (one) => one.namespace)) {
      const jobIds = some.map(({ jobId }) => jobId);
      changes.push(...(await within.apply({ by: 'jobs', namespace, jobIds }, decide)));
    }
    return changes;
  }

  #reactionTo(late: ReadonlyMap<string, MissedDeadline>): DecideJob {
    return (run, nowUs, definition) => {
      const { reaction, priority } = late.get(run.jobId) as MissedDeadline;
      if (reaction === 'RAISE_PRIORITY') return decideRaise(run, priority);
      return this.#parts.cancels.decide(run, nowUs, definition, { reason: 'it missed its soft deadline' });
    };
  }
}

/** Claims have skipped these jobs while they were locked. */
function hintsOf(open: readonly MissedDeadline[]): LaneHint[] {
  const ranks = new Map<number, number>();
  for (const { laneId, state, rank = 0 } of open)
    if (state === 'READY') ranks.set(laneId, Math.min(rank, ranks.get(laneId) ?? rank));
  return Array.from(ranks, ([laneId, rank]) => ({ laneId, rank }));
}
