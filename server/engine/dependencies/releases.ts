/**
 * Releases jobs whose dependencies are met, ends jobs whose dependencies can no longer be met, and publishes assets:
 * takes the job inbox entries that were written when jobs and steps ended, on any replica.
 */
import { decideSkip, decideUnblock } from '../../domain/dependencies/dependencies.ts';
import type { Settled } from '../../domain/dependencies/settle.ts';
import type { Change } from '../../domain/jobs/run.ts';
import type { Announcer } from '../announcer.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Lanes } from '../dispatch/lanes.ts';
import { requireLanes } from '../dispatch/unknown-lanes.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { Changes } from '../jobs/change/changes.ts';
import { Loop, type LoopParts } from '../loop.ts';
import type { Publication } from '../ports/dependencies.ts';
import type { TakenEnds } from '../ports/inbox.ts';
import type { Decide } from '../ports/jobs.ts';
import type { Store } from '../ports/store.ts';
import type { NewHappening } from '../ports/triggers.ts';

/** Delay after a failure. Otherwise a commit, or the round that reads the job inbox, wakes this loop. */
const RETRY_MS = 1_000;
/** Max children cancelled per transaction. */
const MAX_CANCELLED = 1_000;

export interface ReleasesParts extends Pick<LoopParts, 'timers' | 'random' | 'log'> {
  readonly store: Pick<Store, 'together' | 'dependencies'>;
  readonly changes: Changes;
  readonly cancels: Cancels;
  readonly lanes: Pick<Lanes, 'load' | 'get'>;
  readonly clock: Pick<DbClock, 'trusted'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

export class Releases {
  readonly #parts: ReleasesParts;
  readonly #loop: Loop;
  /** There may be more entries to take. Stays true after a failure. */
  #isMore = false;

  constructor(parts: ReleasesParts) {
    this.#parts = parts;
    const [name, isIdle] = ['jobs that depend on others', () => !this.#isMore];
    this.#loop = new Loop({ ...parts, name, everyMs: RETRY_MS, run: () => this.#takeSome(), isIdle });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** The job inbox may have ends or publications that jobs depend on. */
  wake(): void {
    this.#loop.wake();
  }

  /** One transaction; the next one follows at once if there may be more entries. */
  async #takeSome(): Promise<number | undefined> {
    this.#isMore = true;
    let isMore = false;
    let published = 0;
    let caused = 0;
    let orphaned: TakenEnds['orphaned'] = [];
    await this.#parts.changes.applyWith(
      (decideAll) =>
        this.#parts.store.together(async (inner) => {
          const taken = await inner.inbox.takeEnds();
          const changes = await this.#releaseDependents(inner, taken, decideAll);
          const publications = this.#publicationsOf(taken);
          caused = publications.length > 0 ? await inner.triggers.cause(await publish(inner, publications)) : 0;
          isMore = taken.isMore;
          orphaned = taken.orphaned;
          published = publications.length;
          return changes;
        }),
      (run, nowUs) => decideUnblock(run, { nowUs, random: 0 }),
    );
    const { announcer } = this.#parts;
    for (const { jobId, laneId } of orphaned) await this.#cancelChildren(jobId, laneId);
    if (caused > 0) announcer.committed({ triggers: true });
    this.#isMore = isMore || published > 0;
    return this.#isMore ? 0 : undefined;
  }

  /** Cancels a page of children attached to an ended parent. The parent's inbox entry stays until none are left. */
  async #cancelChildren(jobId: string, laneId: number): Promise<void> {
    const { store, lanes, cancels } = this.#parts;
    const children = await store.dependencies.readAttached(jobId, MAX_CANCELLED);
    if (children.length === 0) return;
    if (!lanes.get(laneId)) await lanes.load([laneId]);
    const namespace = lanes.get(laneId)?.namespace;
    if (namespace !== undefined)
      await cancels.cancelMany(namespace, children, { reason: `its parent, job ${jobId}, has ended`, by: 'RULE' });
  }

  async #releaseDependents(store: Pick<Store, 'change'>, { settled }: TakenEnds, decideAll: Decide): Promise<Change[]> {
    const changes: Change[] = [];
    for (const [namespace, all] of Map.groupBy(settled, (one) => one.namespace)) {
      const byJob = new Map(all.map((one): [string, Settled] => [one.jobId, one]));
      const decide: Decide = (run, nowUs) => {
        const unmet = byJob.get(run.jobId)?.unmet;
        return unmet === undefined ? decideAll(run, nowUs) : decideSkip(run, unmet);
      };
      changes.push(...(await store.change({ by: 'jobs', namespace, jobIds: [...byJob.keys()] }, decide)));
    }
    return changes;
  }

  #publicationsOf({ succeeded }: TakenEnds): Publication[] {
    const { lanes, clock } = this.#parts;
    requireLanes(
      lanes,
      succeeded.map(({ laneId }) => laneId),
    );
    return succeeded.flatMap(({ jobId, laneId, endTimeUs }) => {
      const lane = lanes.get(laneId);
      if (!lane || lane.cleanup) return [];
      const { namespace } = lane;
      const timeUs = clock.trusted(endTimeUs);
      return (lane.definitionBody.publishes ?? []).map((name) => ({ namespace, name, jobId, timeUs }));
    });
  }
}

/** Publishes. Resolves with each publication as something that triggers may be about. */
async function publish(
  store: Pick<Store, 'dependencies'>,
  publications: readonly Publication[],
): Promise<NewHappening[]> {
  const assets = await store.dependencies.publish(publications);
  const versions = new Map(assets.map(({ namespace, name, version }) => [`${namespace}/${name}`, version]));
  const happenings = publications.toReversed().map(({ namespace, name, jobId, timeUs }): NewHappening => {
    const asset = `${namespace}/${name}`;
    const version = versions.get(asset) as number;
    versions.set(asset, version - 1);
    return { namespace, source: 'ASSET', name, jobId, timeUs, version };
  });
  return happenings.toReversed();
}
