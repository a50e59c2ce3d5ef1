/** Cancels open jobs of workflows or steps that must stop. */
import { graceLeftMs } from '../../domain/jobs/suspension.ts';
import type { DbClock } from '../base/db-clock.ts';
import type { Cancels } from '../jobs/change/cancels.ts';
import type { LeftCancel, NewInboxRow } from '../ports/inbox.ts';
import type { Log } from '../ports/ports.ts';
import type { Store } from '../ports/store.ts';
import type { LockedWorkflow, OpenChildren } from '../ports/workflows.ts';

const PAGE = 1_000;
/** Max pages in a row: a step has at most 100,000 items, a workflow 10,000 steps; a later round finds the rest. */
const PAGES = 200;

export interface ChildCancelsParts {
  readonly store: Pick<Store, 'inbox' | 'workflows'>;
  readonly cancels: Cancels;
  readonly clock: Pick<DbClock, 'nowUs'>;
  readonly log: Log;
}

interface Why {
  readonly reason?: string | undefined;
  /** Until when their handlers may take. Undefined: as long as their definitions say. */
  readonly untilUs?: number | undefined;
}

export class ChildCancels {
  readonly #parts: ChildCancelsParts;
  /** By workflow and step, so that each runs once at a time. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(parts: ChildCancelsParts) {
    this.#parts = parts;
  }

  /**
   * Cancels for new inbox entries, and for earlier ones that are not done. `butSteps`: clean-up steps, which may
   * already have started when all other steps are stopped. An entry that names a step, such as a decided fan-out, stops
   * it anyway.
   */
  cancel(
    namespace: string,
    workflow: LockedWorkflow,
    written: readonly NewInboxRow[],
    butSteps: readonly number[],
  ): void {
    const { jobId, reason, childrenUntilUs } = workflow;
    const why = { reason, untilUs: childrenUntilUs };
    const before = workflow.inbox.filter(({ kind }) => kind === 'CANCEL_CHILDREN');
    for (const { step, rowId } of before) this.#run(namespace, { jobId, step, butSteps }, why, rowId);
    for (const { step, kind } of written)
      if (kind === 'CANCEL_CHILDREN') this.#run(namespace, { jobId, step, butSteps }, why, undefined);
  }

  /**
   * Completes the cancels of ended workflows, left by a replica that died. Their clean-up steps are over, so none is
   * excluded.
   */
  finish(left: readonly LeftCancel[]): void {
    for (const { namespace, jobId, step, rowId } of left)
      this.#run(namespace, { jobId, step, butSteps: [] }, {}, rowId);
  }

  settled(): Promise<unknown> {
    return Promise.allSettled(this.#running.values());
  }

  #run(namespace: string, asked: OpenChildren, why: Why, rowId: number | undefined): void {
    const children = asked.step === undefined ? asked : { ...asked, butSteps: [] };
    const key = `${children.jobId}/${children.step}`;
    if (this.#running.has(key)) return;
    const running = this.#cancelAll(namespace, children, why)
      .then((all) => (all && rowId !== undefined ? this.#parts.store.inbox.drop([rowId]) : undefined))
      .catch((error) =>
        this.#parts.log.warn({ error: String(error) }, 'steps could not be cancelled; the next round tries again'),
      )
      .finally(() => this.#running.delete(key));
    this.#running.set(key, running);
  }

  /** Returns whether none is left. */
  async #cancelAll(namespace: string, children: OpenChildren, why: Why): Promise<boolean> {
    const { store, cancels, clock } = this.#parts;
    const { reason = 'its workflow does not need it any more', untilUs } = why;
    for (let page = 0; page < PAGES; page++) {
      const open = await store.workflows.readOpenChildren(children, PAGE);
      if (open.length === 0) return true;
      const graceMs = untilUs === undefined ? undefined : graceLeftMs(untilUs, clock.nowUs());
      await cancels.cancelMany(namespace, open, { reason, by: 'RULE', graceMs });
    }
    return false;
  }
}
