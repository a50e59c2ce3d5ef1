/** Pages of a batch that retries another one, against a minimal store: which members are refused, wait, or remain. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterPage,
  type BatchRetry,
  newRetry,
  type RetryPage,
  sumOf,
} from '../../../../server/domain/batches/batch-retry.ts';
import { EngineError, type ErrorReason } from '../../../../server/engine/base/errors.ts';
import { RetryPages, type RetryPagesParts } from '../../../../server/engine/batches/retry-pages.ts';
import type { Submit } from '../../../../server/engine/jobs/submit/call.ts';
import type { BatchStore, BatchTransactions } from '../../../../server/engine/ports/batches.ts';
import type { EndedJob } from '../../../../server/engine/ports/jobs.ts';

const RETRY = 'the-retry';
const PAGE = 10;
const idOf = (item: number) => `member-${item}`;

/** The reason of refusal by member, if it has one. */
interface World {
  readonly refusals: ReadonlyMap<number, ErrorReason>;
  /** Jobs that the queue still accepts. */
  space: number;
  idleMs: number;
  retry: BatchRetry;
  made: string[];
  sealed: boolean;
  waitMessage: string;
}

function worldOf(members: number, refusals: ReadonlyMap<number, ErrorReason> = new Map(), space = 1_000): World {
  const retry = newRetry('the-batch', members, members);
  return { refusals, space, idleMs: 0, retry, made: [], sealed: false, waitMessage: '' };
}

function endedJob(jobId: string, world: World): EndedJob {
  const refusal = world.refusals.get(Number(jobId.slice('member-'.length)));
  const input = { data: new Uint8Array(), contentType: '' };
  const rest = { demands: undefined, retryPolicy: undefined, runTimeoutMs: 1, fairnessKey: undefined, retried: false };
  const job = { jobId, definition: 'd', definitionVersion: 1, queue: 'q', priority: 0, labels: {}, input, ...rest };
  return { ...job, erased: refusal === 'JOB_ERASED' };
}

function pagesOf(world: World): RetryPages {
  const move = (page: RetryPage) => {
    if (page.fromItem !== world.retry.nextItem) return false;
    world.retry = afterPage(world.retry, page, 0);
    world.waitMessage = '';
    return true;
  };
  const batches: Partial<BatchStore & BatchTransactions> = {
    readFilling: async () =>
      world.sealed
        ? undefined
        : { namespace: 'default', retry: world.retry, made: world.made.length, idleMs: world.idleMs },
    async readFailed({ nextItem, members }) {
      const end = Math.min(members, nextItem + PAGE);
      const found = Array.from({ length: end - nextItem }, (_, i) => ({
        jobId: idOf(nextItem + i),
        item: nextItem + i,
      }));
      return { members: found, nextItem: end };
    },
    storePage: async (_jobId, page) => move(page),
    async delayRetry(_jobId, waitMessage) {
      world.waitMessage = waitMessage;
    },
    async endRetry(_jobId, retry) {
      world.sealed = true;
      world.retry = retry;
    },
  };
  const submit = async ({ submissions, retryPage }: Submit) => {
    for (const { retryOf = '' } of submissions) {
      const refusal = world.refusals.get(Number(retryOf.slice('member-'.length)));
      if (refusal) throw new EngineError(refusal, 'no');
    }
    if (submissions.length > world.space)
      throw new EngineError('QUEUE_FULL', 'full', { metadata: { queue: 'q', bound: 'max_backlog' } });
    if (!move(retryPage as RetryPage)) throw new EngineError('CONFLICT', 'done');
    world.space -= submissions.length;
    world.made.push(...submissions.map(({ retryOf }) => retryOf ?? ''));
    return [];
  };
  const parts = {
    store: {
      batches,
      readEndedJobs: async (_: string, ids: readonly string[]) => ids.map((id) => endedJob(id, world)),
    },
    submissions: { submit },
    definitions: { getForJob: async () => ({}) },
    timers: { after: () => ({ cancel() {} }) },
    random: { next: () => 0 },
    announcer: { committed: () => {} },
  };
  return new RetryPages(parts as unknown as RetryPagesParts);
}

async function run(world: World): Promise<string> {
  const pages = pagesOf(world);
  for (let page = 0; page < 1_000; page++) {
    const after = await pages.next(RETRY);
    if (after !== 'MORE') return after;
  }
  throw new Error('it goes on and on');
}

const refused = fc.dictionary(
  fc.nat(59).map(String),
  fc.constantFrom<ErrorReason>('LIMIT_REACHED', 'DUPLICATE_JOB', 'INTERNAL', 'JOB_ERASED'),
);

describe('the pages of a retry', () => {
  it('lead to a new job or to a reason for each member, in order, however many are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), refused, async (members, given) => {
        const refusals = new Map(Object.entries(given).map(([item, why]) => [Number(item), why]));
        const world = worldOf(members, refusals);
        expect(await run(world)).toBe('DONE');
        const items = Array.from({ length: members }, (_, item) => item);
        expect(world.made).toEqual(items.filter((item) => !refusals.has(item)).map(idOf));
        expect(sumOf(world.retry.skippedByReason)).toBe(members - world.made.length);
        for (const why of new Set(refusals.values()))
          expect(world.retry.skippedByReason[why] ?? 0).toBe(items.filter((item) => refusals.get(item) === why).length);
      }),
    );
  });

  it('stop at a full queue with the accepted jobs stored, and continue when there is capacity', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.nat(60), async (members, space) => {
        const world = worldOf(members, new Map(), space);
        const isHeld = space < members;
        expect(await run(world)).toBe(isHeld ? 'HELD' : 'DONE');
        expect(world.made).toHaveLength(Math.min(members, space));
        expect(world.waitMessage).toBe(isHeld ? 'room in queue q, which is full (max_backlog)' : '');
        world.space = 1_000;
        if (isHeld) expect(await run(world)).toBe('DONE');
        expect(world.made).toEqual(Array.from({ length: members }, (_, item) => idOf(item)));
      }),
    );
  });

  it('are given up when a queue was full for a day', async () => {
    const world = worldOf(25, new Map(), 12);
    expect(await run(world)).toBe('HELD');
    world.idleMs = 86_400_001;
    expect(await run(world)).toBe('DONE');
    expect(world).toMatchObject({ sealed: true, retry: { skippedByReason: { QUEUE_FULL: 13 } } });
    expect(world.made).toHaveLength(12);
  });

  it('are not given up when the previous page was just stored', async () => {
    const world = worldOf(25, new Map(), 12);
    world.idleMs = 86_400_001;
    // Read together with the page for which there was capacity.
    expect(await run(world)).toBe('HELD');
    expect(world.retry.skippedByReason).toEqual({});
  });

  it('change nothing when the store is down or others change the batch', async () => {
    for (const reason of ['STORE_UNAVAILABLE', 'OVERLOADED', 'SHUTTING_DOWN'] as const) {
      const world = worldOf(5, new Map([[3, reason]]));
      await expect(run(world)).rejects.toMatchObject({ reason });
      expect(world).toMatchObject({ made: [], retry: { nextItem: 0, skippedByReason: {} } });
    }
    for (const reason of ['BATCH_CANCELLED', 'BATCH_ENDED', 'BATCH_SEALED', 'CONFLICT'] as const) {
      const world = worldOf(5, new Map([[3, reason]]));
      expect(await run(world)).toBe('GONE');
      expect(world).toMatchObject({ made: [], retry: { nextItem: 0, skippedByReason: {} } });
    }
  });
});
