/**
 * Makes the members of a batch that retries another one, page by page. What is stored of a page is stored with the number of the
 * member that comes next, so that whoever goes on, whoever died before, makes none twice and leaves none out.
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

/** For so long members wait for room in a queue that is full. After that the rest is not retried: each batch ends. */
const MAX_HELD_MS = 86_400_000;

/** They say nothing of the members: the same page may be stored later. */
const passing: ReadonlySet<ErrorReason> = new Set(['OVERLOADED', 'STORE_UNAVAILABLE', 'STORE_FULL', 'SHUTTING_DOWN']);

/** The batch takes no more members, or somebody else makes them. */
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

/** HELD: a queue is full. GONE: it takes no more members, or somebody else has stored the page. */
export type AfterPage = 'MORE' | 'DONE' | 'HELD' | 'GONE';

/** A member that has failed: the job that is to be made of it, or why there is none. */
interface Verdict {
  readonly item: number;
  readonly made: Submission | 'RETRIED_BEFORE' | ErrorReason;
}

/** Verdicts on all failed members with numbers from `fromItem` to `nextItem`, excluding that one. */
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

  /** Stores what is to become of the next members. Rejects with what may pass: then the same is to be tried later. */
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

  /** Definitions that take no new jobs, by key. Each is looked at once: they may be those of all members. */
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
   * In as many transactions as it takes. What refuses some is refused again in halves, until the member that is to blame is alone:
   * that one is passed over, and what follows goes in ever larger portions again.
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

  /** Undefined: it is stored. Rejects with what may pass. */
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

  /** The next member finds no room. */
  async #hold(
    jobId: string,
    { retry, made, idleMs }: FillingBatch,
    fromItem: number,
    { facts: { metadata } }: EngineError,
  ): Promise<AfterPage> {
    const { batches } = this.#parts.store;
    if (fromItem === retry.nextItem && idleMs > MAX_HELD_MS) {
      const notRetried = { QUEUE_FULL: leftOf(retry, made) };
      await batches.storePage(jobId, { fromItem, nextItem: retry.members, retriedBefore: 0, notRetried });
      return 'MORE';
    }
    await batches.holdRetry(jobId, `room in queue ${metadata?.queue}, which is full (${metadata?.bound})`);
    return 'HELD';
  }
}

function verdictOn({ retried, erased }: EndedJob): 'RETRIED_BEFORE' | ErrorReason | undefined {
  if (retried) return 'RETRIED_BEFORE';
  return erased ? 'JOB_ERASED' : undefined;
}

function definitionKey({ definition, definitionVersion }: EndedJob): string {
  return `${definition}/${definitionVersion}`;
}

function pageOf({ fromItem, nextItem, verdicts }: Judged): RetryPage {
  const notRetried: Record<string, number> = {};
  let retriedBefore = 0;
  for (const { made } of verdicts) {
    if (made === 'RETRIED_BEFORE') retriedBefore++;
    else if (typeof made === 'string') notRetried[made] = (notRetried[made] ?? 0) + 1;
  }
  return { fromItem, nextItem, retriedBefore, notRetried };
}
