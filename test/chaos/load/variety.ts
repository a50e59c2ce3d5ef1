/**
 * Work of every kind next to the load, in a namespace of its own: workflows with fan-outs, loops, cached steps, signal
 * waits and children, jobs under a limit, batches, a schedule, and clean-ups after cancels and failures. Each result is compared with
 * the right one.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  CatchUpPolicy,
  CleanupCondition,
  Client,
  type DefinitionInit,
  type Job,
  JobState,
  MusterError,
  NonRetryableError,
  OverlapPolicy,
  stateName,
  Worker,
} from '@muster-jobs/sdk';
import { eventually } from '../../support/base/eventually.ts';
import { Tally } from '../harness/tally.ts';
import { LONG_MS, PAUSE_MS, repeated } from './repeated.ts';
import { missedTimes } from './schedule-times.ts';

export const VARIETY = 'variety';

const MEMBERS = 20;
const ITEMS = [1, 2, 3, 4, 5];
const MAX_CONCURRENCY = 2;
const CHILDREN = 2;
const SCHEDULE = 'often';
/** Its runs of half an hour are kept. */
const EVERY_MS = 2_000;
const MAX_ATTEMPTS = 5;

const duration = (seconds: number) => ({
  $typeName: 'google.protobuf.Duration' as const,
  seconds: BigInt(seconds),
  nanos: 0,
});

const steps = [
  { name: 'one', input: '{"give": workflow.input.n + 1}' },
  { name: 'two', needs: ['one'], definition: 'family', input: '{"n": steps.one.output}' },
  {
    name: 'each',
    needs: ['one'],
    definition: 'limited',
    fanOut: { items: JSON.stringify(ITEMS), maxParallel: 3 },
    input: '{"give": item}',
  },
  {
    name: 'again',
    needs: ['one'],
    loop: { repeatCondition: 'output < 2', maxIterations: 5 },
    input: '{"give": iteration}',
  },
  { name: 'cached', cache: { maxAge: duration(3_600) }, input: '{"give": "kept"}' },
  { name: 'waits', definition: 'signal', input: 'workflow.input.key' },
  {
    name: 'join',
    needs: ['two', 'each', 'again', 'cached', 'waits'],
    input: `{"give": {"two": steps.two.output, "each": steps.each.output, "again": steps.again.output,
      "cached": steps.cached.output, "waits": steps.waits.output}}`,
  },
];

/** The time until a restore of a backup has ended: the next one, or the current one. */
interface Epoch {
  /** Whether its backup has begun, so that results may be undone. */
  begun: boolean;
  readonly ended: Promise<void>;
  readonly end: () => void;
}

function newEpoch(): Epoch {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { begun: false, ended: promise, end: resolve };
}

const flow = steps.map((step) => ({ definition: 'play', ...step }));

export class Variety {
  /** Wrong results. */
  readonly violations: string[] = [];
  readonly tally = new Tally();
  readonly #client: Client;
  readonly #isUniform: boolean;
  readonly #worker: Worker;
  #over = new AbortController();
  #epoch = newEpoch();
  #running: Promise<unknown> = Promise.resolve();

  /**
   * @param isUniform Whether all replicas are of the newest release: then every other workflow and batch is paused and
   *   resumed, and every other clean-up follows a failure.
   */
  constructor(address: string, isUniform: boolean) {
    this.#isUniform = isUniform;
    const retry = { maxAttempts: 1_000, maxBackoffMs: 200 };
    this.#client = new Client({ address, namespace: VARIETY, timeoutMs: LONG_MS, retry });
    this.#worker = new Worker({
      address,
      namespace: VARIETY,
      name: VARIETY,
      slots: 20,
      logger: { log: () => {} },
      handlers: {
        play: (_ctx, { give }) => give,
        limited: (_ctx, { give }) => give,
        tick: () => 'tick',
        after: () => 'after',
        endless: async (ctx) => {
          await once(ctx.signal, 'abort');
          throw ctx.signal.reason;
        },
        failing: () => {
          throw new NonRetryableError('nothing can help');
        },
        tidy: (_ctx, { give }) => give,
        family: async (ctx, { n }) => {
          const children = [];
          for (let i = 0; i < CHILDREN; i++) children.push(await ctx.submit('play', { give: n + i }));
          return (await ctx.wait<number>(children)).reduce((sum, one) => sum + one, 0);
        },
      },
    });
  }

  async start(): Promise<void> {
    const retryPolicy = { maxAttempts: MAX_ATTEMPTS };
    for (const name of ['play', 'tick', 'after', 'family']) await this.#client.applyDefinition({ name, retryPolicy });
    await this.#client.applyDefinition({ name: 'limited', retryPolicy, maxConcurrency: MAX_CONCURRENCY });
    const endless = { case: 'task', value: { cleanupHandler: 'tidy' } } as const;
    await this.#client.applyDefinition({ name: 'endless', retryPolicy, body: endless });
    const cleanupAfter = CleanupCondition.UNSUCCESSFUL;
    const failing = { case: 'task', value: { cleanupHandler: 'tidy', cleanupAfter } } as const;
    await this.#client.applyDefinition({ name: 'failing', retryPolicy, body: failing });
    const signal = { kind: { case: 'signal', value: { name: 'go', key: 'input' } } } as const;
    await this.#client.applyDefinition({ name: 'signal', body: { case: 'wait', value: signal } });
    const body = { case: 'workflow', value: { steps: flow, output: 'steps.join.output' } };
    await this.#client.applyDefinition({ name: 'flow', body } as DefinitionInit);
    await this.#client.applySchedule({
      name: SCHEDULE,
      intervals: [{ everyMs: EVERY_MS }],
      definition: 'tick',
      overlapPolicy: OverlapPolicy.ALLOW_ALL,
      catchUpPolicy: CatchUpPolicy.ALL,
    });
    const { signal: over } = this.#over;
    const repeat = async (kind: string, work: (n: number, ids: () => string) => Promise<string | undefined>) => {
      for (let n = 0; !over.aborted; n++) {
        const problem = await this.#kept(n, work);
        this.tally.count(kind);
        if (problem) this.violations.push(problem);
        await delay(PAUSE_MS);
      }
    };
    const work = [
      repeat('workflow', (n, ids) => this.#workflow(n, ids)),
      repeat('batch', (n, ids) => this.#batch(n, ids)),
      repeat('clean-up', (n, ids) => this.#cleanUp(n, ids)),
    ];
    this.#running = Promise.all(work).then(
      () => undefined,
      (error: unknown) => this.violations.push(`variety: ${(error as Error).stack ?? error}`),
    );
    void this.#worker.run();
  }

  /** Ends it when everything is done. The deployment is whole. */
  async finish(): Promise<void> {
    this.#over.abort();
    await this.#running;
    const { started, missed } = await missedTimes(this.#client, SCHEDULE, EVERY_MS, LONG_MS);
    this.tally.count('time of a schedule', started);
    this.violations.push(...missed);
    await this.breakOff();
  }

  async breakOff(): Promise<void> {
    this.#over.abort();
    await this.#worker.stop({ timeoutMs: 0 });
    this.#client.close();
  }

  /** Rounds that end while `restore` works, or that it interrupts, are repeated under their request ids. */
  async throughRestore<T>(restore: () => Promise<T>): Promise<T> {
    const epoch = this.#epoch;
    epoch.begun = true;
    try {
      return await restore();
    } finally {
      this.#epoch = newEpoch();
      epoch.end();
    }
  }

  /** A round whose outcome no restore undoes. Resolves with what is wrong. */
  async #kept(
    n: number,
    round: (n: number, ids: () => string) => Promise<string | undefined>,
  ): Promise<string | undefined> {
    const known: string[] = [];
    for (;;) {
      let used = 0;
      const ids = () => (known[used++] ??= randomUUID());
      const epoch = this.#epoch;
      const ended = round(n, ids).then(
        (problem) => () => problem,
        (error: unknown) => () => {
          throw error;
        },
      );
      const first = await Promise.race([ended, epoch.ended]);
      if (first && !epoch.begun) return first();
      await epoch.ended;
      this.tally.count('round repeated after a restore');
    }
  }

  async #workflow(n: number, ids: () => string): Promise<string | undefined> {
    const key = `key-${n}`;
    const [requestId, signalId] = [ids(), ids()];
    const { jobId } = await repeated(() => this.#client.submit('flow', { n, key }, { requestId }));
    if (this.#isUniform && n % 2 === 1) await this.#pause(jobId);
    await repeated(() => this.#client.sendSignal('go', { key, payload: n, requestId: signalId }));
    const children = Array.from({ length: CHILDREN }, (_, i) => n + 1 + i);
    const two = children.reduce((sum, one) => sum + one, 0);
    const wanted = { two, each: ITEMS, again: 2, cached: 'kept', waits: n };
    const result = await repeated(() => this.#client.result(jobId, { timeoutMs: LONG_MS }));
    if (isDeepStrictEqual(result, wanted)) return undefined;
    return `workflow ${jobId}: ${JSON.stringify(result)} in place of ${JSON.stringify(wanted)}`;
  }

  /** It may have ended by then. */
  async #pause(jobId: string): Promise<void> {
    const orEnded = (call: () => Promise<Job>) =>
      repeated(call).catch((error) => {
        if (!(error instanceof MusterError && error.reason === 'JOB_ENDED')) throw error;
        return undefined;
      });
    const paused = await orEnded(() => this.#client.pause(jobId, 'by chance', { running: true }));
    if (!paused) return;
    this.tally.count(`${paused.definition} paused`);
    await delay(PAUSE_MS);
    await orEnded(() => this.#client.resume(jobId));
  }

  async #batch(n: number, ids: () => string): Promise<string | undefined> {
    const [requestId, membersId] = [ids(), ids()];
    const batch = await repeated(() => this.#client.createBatch({ callback: { definition: 'after' } }, { requestId }));
    const members = Array.from({ length: MEMBERS }, () => ({ definition: 'limited', input: { give: n } }));
    await repeated(() => batch.submitMany(members, { requestId: membersId }));
    if (this.#isUniform && n % 2 === 1) await this.#pause(batch.jobId);
    await repeated(() => batch.seal());
    const { job, counts } = await repeated(() => batch.wait({ timeoutMs: LONG_MS }));
    if (job?.state === JobState.SUCCEEDED && counts?.succeeded === BigInt(MEMBERS)) return undefined;
    return `batch ${job?.jobId} ended with ${counts?.succeeded} of ${MEMBERS} members`;
  }

  /** A job that had been started is cancelled, or fails: the handler of its definition cleans up after it. */
  async #cleanUp(n: number, ids: () => string): Promise<string | undefined> {
    const requestId = ids();
    const fails = this.#isUniform && n % 2 === 1;
    const submit = () => this.#client.submit(fails ? 'failing' : 'endless', { give: n }, { requestId });
    const { jobId } = await repeated(submit);
    if (!fails) await this.#cancelOnceStarted(jobId);
    const { state } = await repeated(() => this.#client.wait(jobId, { timeoutMs: LONG_MS }));
    const cleanup = await repeated(() => this.#cleanupOf(jobId));
    if (state !== (fails ? JobState.FAILED : JobState.CANCELLED) || !cleanup)
      return `job ${jobId} is ${stateName(state)}, its clean-up "${cleanup?.jobId}"`;
    const given = await repeated(() => this.#client.result(cleanup, { timeoutMs: LONG_MS }));
    return given === n ? undefined : `clean-up ${cleanup.jobId} of job ${jobId} gave ${given} in place of ${n}`;
  }

  async #cancelOnceStarted(jobId: string): Promise<void> {
    const isStarted = async () => (await repeated(() => this.#client.get(jobId))).attempt > 0;
    await eventually(`job ${jobId} is started`, isStarted, { timeoutMs: LONG_MS, everyMs: PAUSE_MS });
    await repeated(() => this.#client.cancel(jobId));
  }

  /** By its label, which replicas of every release set. */
  async #cleanupOf(jobId: string): Promise<Job | undefined> {
    for await (const job of this.#client.list({ labels: { 'muster/cleanup-of': jobId } })) return job;
    return undefined;
  }
}
