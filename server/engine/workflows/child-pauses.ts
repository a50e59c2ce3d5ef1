/** Pauses and resumes the open jobs of workflows and batches as these are themselves, page by page. */

import { decideWithParent } from '../../domain/jobs/pause-children.ts';
import type { OpenRun } from '../../domain/jobs/run.ts';
import { isRecorded } from '../../domain/namespaces/recorded.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Changes } from '../jobs/change/changes.ts';
import { notifySuspended } from '../jobs/change/suspend-notices.ts';
import { Loop } from '../loop.ts';
import type { ChildPause } from '../ports/inbox.ts';
import type { Bus, Log, Random, Timers } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { ChildKey } from '../ports/workflows.ts';

/** Max jobs per transaction. */
const PAGE = 1_000;
/** Max workflows and batches per round; each gets a page in turn. */
const MAX_TOGETHER = 100;
/** A replica that takes up what another one has begun walks all of it: pages that are done change nothing. */
const EVERY_MS = 1_000;

export interface ChildPausesParts {
  readonly store: Pick<Store, 'inbox' | 'workflows' | 'together'>;
  readonly changes: Changes;
  readonly bus: Pick<Bus, 'suspend'>;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
}

export class ChildPauses {
  readonly #parts: ChildPausesParts;
  /** By entry: the last job of the page before. */
  #after = new Map<number, ChildKey>();
  readonly #loop: Loop;

  constructor(parts: ChildPausesParts) {
    this.#parts = parts;
    this.#loop = new Loop({ ...parts, name: 'paused workflows', everyMs: EVERY_MS, run: () => this.#round() });
  }

  start(): void {
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** There may be new entries. */
  wake(): void {
    this.#loop.wake();
  }

  async #round(): Promise<number | undefined> {
    const entries = await this.#parts.store.inbox.findChildPauses(MAX_TOGETHER);
    const known = new Set(entries.map(({ rowId }) => rowId));
    this.#after = new Map([...this.#after].filter(([rowId]) => known.has(rowId)));
    let isMore = entries.length === MAX_TOGETHER;
    let hasFailed = false;
    for (const entry of entries) {
      if (this.#loop.isStopped) return undefined;
      try {
        if (!(await this.#page(entry))) isMore = true;
      } catch (error) {
        hasFailed = true;
        const facts = { error: String(error), job_id: entry.jobId };
        this.#parts.log.warn(facts, 'its jobs could not be paused or resumed; the next round tries again');
      }
    }
    return isMore && !hasFailed ? 0 : undefined;
  }

  /** Returns whether the entry is done. */
  async #page({ rowId, jobId, namespace }: ChildPause): Promise<boolean> {
    const { store } = this.#parts;
    const after = this.#after.get(rowId);
    if (!after) await this.#awaitMembers(jobId);
    const page = namespace === undefined ? [] : await store.workflows.readChildren(jobId, after, PAGE);
    const last = page.at(-1);
    if (namespace !== undefined && last) await this.#change(namespace, jobId, page);
    if (last && page.length === PAGE) {
      this.#after.set(rowId, last);
      return false;
    }
    await store.inbox.drop([rowId]);
    return true;
  }

  /** Calls that add members, and saw the batch as it was before it was paused or resumed, have committed after this. */
  async #awaitMembers(jobId: string): Promise<void> {
    await this.#parts.store.together((tx) => tx.batches.lockForMembers(jobId));
  }

  /** The parent is locked as well: a page never acts on a state that is over. */
  async #change(namespace: string, jobId: string, page: readonly ChildKey[]): Promise<void> {
    const { changes, bus, clock, random } = this.#parts;
    const made = await changes.applyTogether(async ({ apply }) => {
      const parents: OpenRun[] = [];
      await apply({ by: 'jobs', namespace, jobIds: [jobId] }, (run) => {
        parents.push(run);
        return undefined;
      });
      const parent = parents.at(-1);
      if (!parent) return [];
      const jobIds = page.map((child) => child.jobId);
      return apply({ by: 'jobs', namespace, jobIds }, (run, nowUs, definition) => {
        const { cancelGraceMs, timeLimits } = definition;
        const totalTimeoutMs = timeLimits?.totalTimeoutMs;
        const settings = { cancelGraceMs, totalTimeoutMs, hasChildren: isRecorded(definition) };
        return decideWithParent(parent, run, settings, { nowUs, random: random.next() });
      });
    });
    notifySuspended(bus, made, clock.nowUs());
  }
}
