/** Finds jobs that have missed their soft deadlines, says so, and reacts. Every replica looks, each at other jobs. */
import type { Change } from '../../../domain/jobs/run.ts';
import { decideRaise } from '../../../domain/jobs/soft-deadline.ts';
import type { Announcer } from '../../announcer.ts';
import type { DbClock } from '../../base/db-clock.ts';
import type { Lanes } from '../../dispatch/lanes.ts';
import { Loop } from '../../loop.ts';
import type { MissedDeadline, PassedDeadline } from '../../ports/jobs.ts';
import type { Log, Random, Timers } from '../../ports/ports.ts';
import type { Store } from '../../ports/store.ts';
import type { Cancels } from './cancels.ts';
import type { Changes, ChangesWithin, DecideJob } from './changes.ts';

const ROUND_MS = 1_000;
const PAGE = 1_000;
/** Max pages per round. */
const PAGES = 100;

export interface SoftDeadlinesParts {
  readonly store: Pick<Store, 'softDeadlines'>;
  readonly changes: Changes;
  readonly cancels: Pick<Cancels, 'decide' | 'notify'>;
  readonly lanes: Pick<Lanes, 'get' | 'load'>;
  readonly announcer: Pick<Announcer, 'committed'>;
  readonly dbClock: DbClock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

/** What a page has found. */
interface Page {
  readonly passed: number;
  readonly missed: readonly MissedDeadline[];
}

const nothing: Page = { passed: 0, missed: [] };

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

  /** One transaction. Resolves with the number of deadlines that it looked at. */
  async #page(): Promise<number> {
    const { changes, cancels, announcer } = this.#parts;
    let page = nothing;
    const made = await changes.applyTogether(async (within) => {
      page = nothing;
      const passed = await within.store.softDeadlines.takePassed(PAGE, this.#parts.dbClock.nowUs());
      if (passed.length === 0) return [];
      const { missed, changes: reactions } = await this.#close(within, passed);
      page = { passed: passed.length, missed };
      return reactions;
    });
    cancels.notify(made.filter(({ event }) => event === 'requestCancel'));
    if (page.missed.length > 0)
      announcer.committed({ outbox: true, changed: page.missed.flatMap(({ isOpen, jobId }) => (isOpen ? jobId : [])) });
    return page.passed;
  }

  async #close(
    within: ChangesWithin,
    passed: readonly PassedDeadline[],
  ): Promise<{ missed: MissedDeadline[]; changes: Change[] }> {
    // Locks the jobs in their order: from here on none of them ends.
    await each(passed, (some, namespace) => within.apply({ by: 'jobs', namespace, jobIds: some }, () => undefined));
    const missed = await within.store.softDeadlines.closePassed(passed.map(({ jobId }) => jobId));
    await this.#learn(missed);
    const open = new Set(missed.flatMap(({ isOpen, jobId }) => (isOpen ? jobId : [])));
    const late = passed.filter(({ jobId, reaction }) => reaction !== 'NOTIFY' && open.has(jobId));
    const decide = this.#reactionTo(late);
    const changes = await each(late, (some, namespace) =>
      within.apply({ by: 'jobs', namespace, jobIds: some }, decide),
    );
    return { missed, changes };
  }

  /** The metrics name the definition and the queue of each. */
  async #learn(missed: readonly MissedDeadline[]): Promise<void> {
    const { lanes } = this.#parts;
    const unknown = [...new Set(missed.map(({ laneId }) => laneId))].filter((laneId) => !lanes.get(laneId));
    if (unknown.length > 0) await lanes.load(unknown);
  }

  #reactionTo(late: readonly PassedDeadline[]): DecideJob {
    const deadlines = new Map(late.map((deadline) => [deadline.jobId, deadline]));
    return (run, nowUs, definition) => {
      const { reaction, priority } = deadlines.get(run.jobId) as PassedDeadline;
      if (reaction === 'RAISE_PRIORITY') return decideRaise(run, priority);
      return this.#parts.cancels.decide(run, nowUs, definition, { reason: 'it missed its soft deadline' });
    };
  }
}

/** Namespace by namespace. */
async function each(
  deadlines: readonly PassedDeadline[],
  change: (jobIds: readonly string[], namespace: string) => Promise<Change[]>,
): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [namespace, some] of Map.groupBy(deadlines, (deadline) => deadline.namespace))
    changes.push(
      ...(await change(
        some.map(({ jobId }) => jobId),
        namespace,
      )),
    );
  return changes;
}
