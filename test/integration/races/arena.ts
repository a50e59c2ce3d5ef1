/**
 * The setting of races on the same jobs: two replicas on a real PostgreSQL and one NATS, or one on the embedded
 * database.
 */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Job, JobSubmissionSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { Assignment } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import type pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { uuidFromBytes } from '../../../server/domain/base/uuid.ts';
import type { databaseKinds } from '../../support/databases/databases.ts';
import { openPool } from '../../support/databases/postgres.ts';
import { startSharedBackends } from '../../support/databases/shared-backends.ts';
import { Refusal, type Rpc } from '../api/base/rpc.ts';
import { offerOf, type TestWorker } from '../api/base/test-worker.ts';
import { stateName, World } from '../api/base/world.ts';

type CountRows = (jobIds: readonly string[]) => Promise<{ outcomes: number; runs: number }>;

/** Attempts that one worker of a race can hold. */
const SLOTS = 1_000;

export class Arena {
  /** The replica of the workers. */
  readonly world: World;
  /** The users' replica: another one, if there are two. */
  readonly people: Rpc;
  readonly #rows: CountRows | undefined;
  readonly #stop: () => Promise<unknown>;

  private constructor(world: World, people: Rpc, rows: CountRows | undefined, stop: () => Promise<unknown>) {
    this.world = world;
    this.people = people;
    this.#rows = rows;
    this.#stop = stop;
  }

  static async open(kind: (typeof databaseKinds)[number]): Promise<Arena> {
    if (kind === 'PGlite') {
      const world = await World.startOn('PGlite');
      return new Arena(world, world.rpc, undefined, () => world.stop());
    }
    const backends = await startSharedBackends();
    const worlds = [await World.startWith(backends.settings), await World.startWith(backends.settings)] as const;
    const pool = openPool(backends.postgresUrl, 1);
    const stop = async () => {
      await pool.end();
      for (const world of worlds) await world.stop();
      await backends.stop();
    };
    return new Arena(worlds[0], worlds[1].rpc, (jobIds) => countIn(pool, jobIds), stop);
  }

  stop(): Promise<unknown> {
    return this.#stop();
  }

  /** Counts the rows of ended and open jobs; undefined if only the replica can read the database. */
  countRows(jobIds: readonly string[]): Promise<{ outcomes: number; runs: number }> | undefined {
    return this.#rows?.(jobIds);
  }

  openWorker(definition: string): Promise<TestWorker> {
    return this.world.openWorkerOf({ ...offerOf(definition), slots: SLOTS });
  }

  async submit(
    definition: string,
    count: number,
    changes: MessageInitShape<typeof JobSubmissionSchema> = {},
  ): Promise<string[]> {
    const jobs = Array.from({ length: count }, () => ({ definition, ...changes }));
    const { jobs: stored } = await this.world.rpc.call(JobService.method.submitJobs, { jobs });
    return stored.map(({ jobId }) => jobId);
  }

  /** The current jobs, read from the users' replica. */
  async read(jobIds: readonly string[]): Promise<Job[]> {
    const jobs: Job[] = [];
    // The number of concurrent calls is bounded, too.
    for (let at = 0; at < jobIds.length; at += 100) {
      const page = jobIds.slice(at, at + 100).map((jobId) => this.people.call(JobService.method.getJob, { jobId }));
      for (const { job } of await Promise.all(page)) if (job) jobs.push(job);
    }
    return jobs;
  }
}

/** The arena of a test file's block. */
export function useArena(kind: (typeof databaseKinds)[number]): { readonly arena: Arena } {
  const held = {} as { arena: Arena };
  beforeAll(async () => {
    held.arena = await Arena.open(kind);
  }, 300_000);
  afterAll(() => held.arena?.stop());
  return held;
}

async function countIn(pool: pg.Pool, jobIds: readonly string[]): Promise<{ outcomes: number; runs: number }> {
  const count = async (table: string) =>
    (await pool.query(`SELECT count(*)::int AS n FROM muster.${table} WHERE job_id = ANY($1::uuid[])`, [jobIds]))
      .rows[0].n;
  return { outcomes: await count('job_outcomes'), runs: await count('job_runs') };
}

/** Name of the state in the answer of a call, or the reason of its refusal. */
export async function answerOf(call: Promise<{ job?: Job | undefined }>): Promise<string> {
  try {
    const { job } = await call;
    return stateName(job?.state ?? 0);
  } catch (error) {
    if (error instanceof Refusal && error.reason) return error.reason;
    throw error;
  }
}

export function jobIdOf({ jobId }: Pick<Assignment, 'jobId'>): string {
  return uuidFromBytes(jobId);
}

/**
 * Makes all the first calls, and the second ones as soon as `head` of the first have been answered. Which of the two is
 * quicker differs by machine and database; at some head between none and all of them they collide.
 */
export async function meet<A, B>(
  first: readonly (() => Promise<A>)[],
  second: () => Promise<B>,
  head: number,
): Promise<[A[], B]> {
  let answered = 0;
  let start = () => {};
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const count = <T>(value: T): T => {
    if (++answered >= head) start();
    return value;
  };
  if (head === 0) start();
  return Promise.all([Promise.all(first.map((call) => call().then(count))), started.then(second)]);
}

/** Counts each of the values. */
export function tally(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/** The items in another order, the same each time. */
export function shuffled<T>(items: readonly T[]): T[] {
  let state = 0x2545f491;
  const order = items.map((item) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) ^ items.length;
    return { item, key: state >>> 0 };
  });
  return order.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
