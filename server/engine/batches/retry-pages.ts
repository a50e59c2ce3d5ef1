/**
 * Makes the members of a batch that retries another one, page by page. A page is stored together with the number of the
 * next member, so a replica that continues makes no member twice and skips none, whichever replica died.
 */

import { type BatchRetry, leftOf, type RetryPage, settled } from '../../domain/batches/batch-retry.ts';
import type { Announcer } from '../announcer.ts';
import { type CollisionParts, retryCollisions } from '../base/collisions.ts';
import { EngineError, type ErrorReason } from '../base/errors.ts';
import { killPoint } from '../base/kill-points.ts';
import type { Definitions } from '../definitions/definitions.ts';
import { submissionOf } from '../jobs/change/retries.ts';
import type { Submissions } from '../jobs/submit/submissions.ts';
import type { FillingBatch } from '../ports/batches.ts';
import type { EndedJob } from '../ports/jobs.ts';
import type { Store } from '../ports/store.ts';
import type { Submission } from '../ports/submissions.ts';

/** For how long members wait for capacity in a full queue. Then the rest is not retried, so that each batch ends. */
const MAX_HELD_MS = 86_400_000;

/** Temporary errors that are not the members' fault: the same page may be stored later. */
const passing: ReadonlySet<ErrorReason> = new Set(['OVERLOADED', 'STORE_UNAVAILABLE', 'STORE_FULL', 'SHUTTING_DOWN']);

/** The batch takes no more members, or another replica makes them. */
const stopping: ReadonlySet<ErrorReason> = new Set([
  'BATCH_NOT_FOUND',
  'BATCH_CANCELLED',
  'BATCH_ENDED',
  'BATCH_SEALED',
  'CONFLICT',
]);

export interface RetryPagesParts extends CollisionParts {
  readonly store: Pick<Store, 'batches' | 'readEndedJobs'>;
  readonly submissions: Pick<Submissions, 'submit'>;
  readonly definitions: Pick<Definitions, 'getForJob'>;
  readonly announcer: Pick<Announcer, 'committed'>;
}

/** HELD: a queue is full. GONE: the batch takes no more members, or another replica has stored the page. */
export type AfterPage = 'MORE' | 'DONE' | 'HELD' | 'GONE';

/** The decision on a failed member: the job to make for it, or the reason why there is none. */
interface Verdict {
  readonly item: number;
  readonly made: Submission | 'RETRIED_BEFORE_COUNT' | ErrorReason;
}

/** Verdicts on all failed members with numbers from `fromItem` up to, but not including, `nextItem`. */
interface Judged {
  readonly fromItem: number;
  readonly verdicts: readonly Verdict[];
  readonly nextItem: number;
}

export class RetryPages {
  readonly #parts: RetryPagesParts;

  constructor(parts: RetryPagesParts) {
    this.#parts = parts;
  }

  /** Stores the next members. Rejects with a temporary error: then the call may be repeated later. */
  async next(jobId: string): Promise<AfterPage> {
    const { store, announcer } = this.#parts;
    const filling = await store.batches.readFilling(jobId);
    if (!filling) return 'GONE';
    const { retry, made, namespace } = filling;
    if (retry.nextItem < retry.members) return this.#storeAll(jobId, filling, await this.#judge(namespace, retry));
    await retryCollisions(this.#parts, () => store.batches.endRetry(jobId, settled(retry, made)));
    announcer.committed({ workflows: [jobId] });
    return 'DONE';
  }

  async #judge(namespace: string, retry: BatchRetry): Promise<Judged> {
    const { store } = this.#parts;
    const { members, nextItem } = await store.batches.readFailed(retry);
    const ended = await store.readEndedJobs(
      namespace,
      members.map(({ jobId }) => jobId),
    );
    const items = new Map(members.map(({ jobId, item }) => [jobId, item]));
    const refusals = await this.#refusalsOf(namespace, ended);
    const verdicts = ended.map((job) => ({
      item: items.get(job.jobId) as number,
      made: verdictOn(job) ?? refusals.get(definitionKey(job)) ?? submissionOf(job),
    }));
    return { fromItem: retry.nextItem, verdicts, nextItem };
  }

  /** Definitions that take no new jobs, by key. Each is checked once, since all members may share it. */
  async #refusalsOf(namespace: string, jobs: readonly EndedJob[]): Promise<Map<string, ErrorReason>> {
    const refusals = new Map<string, ErrorReason>();
    for (const [key, [job]] of Map.groupBy(jobs, definitionKey)) {
      const { definition, definitionVersion } = job as EndedJob;
      try {
        await this.#parts.definitions.getForJob(namespace, definition, definitionVersion, 'definition');
      } catch (error) {
        if (!(error instanceof EngineError) || passing.has(error.reason)) throw error;
        refusals.set(key, error.reason);
      }
    }
    return refusals;
  }

  /**
   * Uses as many transactions as needed. A refused portion is halved until the member at fault is alone; that one is
   * skipped, and the portions after it grow again.
   */
  async #storeAll(jobId: string, filling: FillingBatch, judged: Judged): Promise<AfterPage> {
    const { nextItem } = judged;
    let { fromItem, verdicts } = judged;
    for (let size = Math.max(1, verdicts.length); fromItem < nextItem; ) {
      const some = { fromItem, verdicts: verdicts.slice(0, size), nextItem: verdicts[size]?.item ?? nextItem };
      const refusal = await this.#store(jobId, filling, some);
      if (!refusal) {
        killPoint('batches.after_retried_page_before_next');
        fromItem = some.nextItem;
        verdicts = verdicts.slice(size);
        size *= 2;
      } else if (stopping.has(refusal.reason)) return 'GONE';
      else if (some.verdicts.length > 1) size = Math.ceil(some.verdicts.length / 2);
      else if (refusal.reason === 'QUEUE_FULL') return this.#hold(jobId, filling, fromItem, refusal);
      else verdicts = verdicts.with(0, { item: (verdicts[0] as Verdict).item, made: refusal.reason });
    }
    return 'MORE';
  }

  /** Undefined: stored. Rejects with a temporary error. */
  async #store(jobId: string, { namespace }: FillingBatch, judged: Judged): Promise<EngineError | undefined> {
    const page = pageOf(judged);
    const submissions = judged.verdicts.flatMap(({ made }) => (typeof made === 'string' ? [] : [made]));
    if (submissions.length === 0) {
      const stored = await retryCollisions(this.#parts, () => this.#parts.store.batches.storePage(jobId, page));
      return stored ? undefined : new EngineError('CONFLICT', 'somebody else has stored the page');
    }
    const membership = { batchJobId: jobId, retryPage: page };
    const call = {
      namespace,
      requestId: '',
      bodyHash: new Uint8Array(),
      submissions,
      field: 'jobs',
      ...membership,
    } as const;
    try {
      await this.#parts.submissions.submit(call);
      return undefined;
    } catch (error) {
      if (error instanceof EngineError && !passing.has(error.reason)) return error;
      throw error;
    }
  }

  /** The next member's queue is full: keeps the page for later, or gives up after MAX_HELD_MS. */
  async #hold(
    jobId: string,
    { retry, made, idleMs }: FillingBatch,
    fromItem: number,
    { facts: { metadata } }: EngineError,
  ): Promise<AfterPage> {
    const { batches } = this.#parts.store;
    if (fromItem === retry.nextItem && idleMs > MAX_HELD_MS) {
      const skippedByReason = { QUEUE_FULL: leftOf(retry, made) };
      await batches.storePage(jobId, { fromItem, nextItem: retry.members, retriedBeforeCount: 0, skippedByReason });
      return 'MORE';
    }
    await batches.delayRetry(jobId, `room in queue ${metadata?.queue}, which is full (${metadata?.bound})`);
    return 'HELD';
  }
}

function verdictOn({ retried, erased }: EndedJob): 'RETRIED_BEFORE_COUNT' | ErrorReason | undefined {
  if (retried) return 'RETRIED_BEFORE_COUNT';
  return erased ? 'JOB_ERASED' : undefined;
}

function definitionKey({ definition, definitionVersion }: EndedJob): string {
  return `${definition}/${definitionVersion}`;
}

function pageOf({ fromItem, nextItem, verdicts }: Judged): RetryPage {
  const skippedByReason: Record<string, number> = {};
  let retriedBeforeCount = 0;
  for (const { made } of verdicts) {
    if (made === 'RETRIED_BEFORE_COUNT') retriedBeforeCount++;
    else if (typeof made === 'string') skippedByReason[made] = (skippedByReason[made] ?? 0) + 1;
  }
  return { fromItem, nextItem, retriedBeforeCount, skippedByReason };
}
