/** A whole run: deployment, fleet and load, from the first process to the evidence that is left when all has healed. */
import { Client, isTerminal, type Job, type JobRequest } from '@muster/sdk';
import { eventually } from '../../support/eventually.ts';
import type { Evidence, Reading } from '../checker/evidence.ts';
import { CarelessWorker } from './careless-worker.ts';
import { forgetChildren } from './child.ts';
import { type Deployment, type DeploymentOptions, deploy } from './deployment.ts';
import type { Dice } from './dice.ts';
import { readJournal } from './journal.ts';
import { Leftovers } from './leftovers.ts';
import { Load, type LoadOptions } from './load.ts';
import { readRecords, type WorkerRecord } from './records.ts';
import { ailments } from './vitals.ts';
import { type WorkerPlace, WorkerProcess } from './worker-process.ts';

export const MAX_ATTEMPTS = 5;
const HEAL_MS = 45_000;
const RECOVERY_MS = 20_000;
const READ_SAMPLE = 250;

export interface RunOptions extends DeploymentOptions {
  readonly dice: Dice;
  readonly fleet: readonly WorkerPlace[];
  readonly load: Pick<LoadOptions, 'callers' | 'atLeast' | 'atMost' | 'backlog' | 'enough'>;
}

export class Run {
  readonly deployment: Deployment;
  readonly workers: readonly WorkerProcess[];
  readonly careless: CarelessWorker;
  readonly load: Load;
  readonly #leftovers: Leftovers;
  readonly #dice: Dice;
  #disbanded = false;

  private constructor(deployment: Deployment, leftovers: Leftovers, options: RunOptions) {
    const { address, recordFolder } = deployment;
    this.deployment = deployment;
    this.#leftovers = leftovers;
    this.#dice = options.dice;
    this.workers = options.fleet.map((place) => new WorkerProcess(place, address, recordFolder));
    this.careless = new CarelessWorker({
      address,
      name: 'careless',
      slots: 16,
      beatMs: options.beatMs,
      leaseMs: options.leaseMs,
      dice: options.dice.fork(),
      isClosed: (session) => this.#isClosed(session),
    });
    this.load = new Load({ ...options.load, address, dice: options.dice.fork(), open: () => this.open() });
  }

  /** Everything runs and the load has begun. */
  static async start(options: RunOptions): Promise<Run> {
    const leftovers = new Leftovers();
    const run = new Run(await deploy(options), leftovers, options);
    try {
      await run.#define();
      for (const worker of run.workers) worker.start();
      run.careless.start();
      await Promise.all(run.workers.map((worker) => worker.ready()));
      run.load.start();
      return run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /** Asks the store; again while it recovers from a crash. */
  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const ask = async () => (await this.deployment.database.query<Row>(text, [...values])).rows;
    return eventually('the database answers', ask, { timeoutMs: RECOVERY_MS, everyMs: 50 });
  }

  /** Jobs that have not ended. */
  async open(): Promise<number> {
    return this.#number('SELECT count(*)::int AS n FROM muster.job_runs');
  }

  /** Jobs that have ended. */
  async ended(): Promise<number> {
    return this.#number('SELECT count(*)::int AS n FROM muster.job_outcomes');
  }

  /** Waits until so many more jobs have ended, whatever goes on meanwhile. */
  async progress(jobs: number): Promise<void> {
    const goal = (await this.ended()) + jobs;
    await eventually(`${jobs} more jobs have ended`, async () => (await this.ended()) >= goal, {
      timeoutMs: 30_000,
      everyMs: 50,
    });
  }

  /** Jobs that a session was given after this moment (ms since 1970) and that have ended. */
  async grantedSince(ms: number): Promise<number> {
    return this.#number(
      'SELECT count(*)::int AS n FROM muster.job_outcomes WHERE assign_time > to_timestamp($1::float8 / 1000)',
      [ms],
    );
  }

  /** How a job has ended; undefined while it has not. */
  async outcome(job: string): Promise<{ state: number; attempt: number; result: string } | undefined> {
    const text =
      "SELECT state, attempt, convert_from(result, 'UTF8') AS result FROM muster.job_outcomes WHERE job_id = $1";
    return (await this.query<{ state: number; attempt: number; result: string }>(text, [job]))[0];
  }

  /** What the worker processes have written down so far. */
  records(): WorkerRecord[] {
    return readRecords(this.deployment.recordFolder);
  }

  /** State of the newest session of a worker's life: 1 open, 2 closing, 3 closed. */
  async sessionState(worker: string): Promise<number> {
    return this.#number(
      'SELECT state::int AS n FROM muster.sessions WHERE worker_name = $1 ORDER BY open_time DESC LIMIT 1',
      [worker],
    );
  }

  /** Puts everything right and waits until nothing is left to do. */
  async heal(): Promise<void> {
    const { replicas, busProxy } = this.deployment;
    for (const worker of this.workers) if (worker.frozen) worker.thaw();
    busProxy?.resume();
    for (const replica of replicas) {
      replica.proxy.resume();
      if (!replica.alive) await replica.start();
      replica.restore();
    }
    await this.load.finished();
    await eventually('every job has ended', async () => (await this.open()) === 0, {
      timeoutMs: HEAL_MS,
      everyMs: 100,
    });
  }

  /** What is wrong with the processes, though all of them run again. */
  ailments(): string[] {
    const { replicas } = this.deployment;
    return [
      ...replicas.flatMap((replica) => [...replica.faults, ...ailments(replica.name, replica.pid)]),
      ...this.workers.flatMap((worker) => [...worker.faults, ...ailments(worker.name, worker.pid)]),
    ];
  }

  /** After the heal each replica does what it is there for: a few jobs, from submission to result, through it alone. */
  async proveEachReplica(jobs: number): Promise<void> {
    for (const { proxy } of this.deployment.replicas) {
      const client = new Client({ address: `127.0.0.1:${proxy.port}` });
      try {
        for (let n = 0; n < jobs; n++) {
          const job = await this.load.submit(client, { definition: 'quick', input: { n } });
          await client.result(job, { timeoutMs: 10_000 });
        }
      } finally {
        client.close();
      }
    }
  }

  /** Ends the fleet in order; then no session is open any more, and the record is complete. */
  async disband(): Promise<void> {
    await Promise.all([this.careless.stop(), ...this.workers.map((worker) => worker.stop())]);
    this.#disbanded = true;
    const notClosed = () => this.#number('SELECT count(*)::int AS n FROM muster.sessions WHERE state <> 3');
    await eventually('every session is closed', async () => (await notClosed()) === 0, {
      timeoutMs: HEAL_MS,
      everyMs: 100,
    });
  }

  /** Submits a job of its own beside the load. */
  async submit(request: JobRequest): Promise<string> {
    const client = new Client({ address: this.deployment.address, retry: { maxAttempts: 1 } });
    try {
      return await this.load.submit(client, request);
    } finally {
      client.close();
    }
  }

  async evidence(): Promise<Evidence> {
    const journal = await readJournal(this.deployment.database);
    return {
      journal,
      records: [...this.records(), ...this.careless.records].sort((a, b) => a.at - b.at),
      calls: this.load.calls,
      reports: this.careless.reports,
      readings: await this.#read(),
      leaseMs: this.deployment.leaseMs,
      maxAttempts: MAX_ATTEMPTS,
    };
  }

  /** What still runs although everything was stopped; a run that was broken off is ended by force first. */
  async stop(): Promise<string[]> {
    if (!this.#disbanded) {
      this.load.breakOff();
      for (const worker of this.workers) worker.destroy();
      await Promise.allSettled([this.load.finished(), this.careless.breakOff()]);
    }
    for (const port of this.deployment.ports()) this.#leftovers.watchPort(port);
    await this.deployment.stop();
    const left = await this.#leftovers.find();
    forgetChildren();
    return left;
  }

  async #define(): Promise<void> {
    const client = new Client({ address: this.deployment.address });
    const minBackoff = { $typeName: 'google.protobuf.Duration' as const, seconds: 0n, nanos: 20_000_000 };
    try {
      for (const name of ['quick', 'slow', 'flaky', 'stubborn', 'fatal']) {
        await client.applyDefinition({ name, retryPolicy: { maxAttempts: MAX_ATTEMPTS, minBackoff, multiplier: 1 } });
      }
    } finally {
      client.close();
    }
  }

  /** A sample of the ended jobs, read at every replica. */
  async #read(): Promise<Reading[]> {
    const sample = this.#dice.shuffled(this.load.accepted).slice(0, READ_SAMPLE);
    const readings: Reading[] = [];
    for (const { name, proxy } of this.deployment.replicas) {
      const client = new Client({ address: `127.0.0.1:${proxy.port}` });
      try {
        for (const job of sample) readings.push(readingOf(name, await client.get(job)));
      } finally {
        client.close();
      }
    }
    return readings;
  }

  async #isClosed(session: string): Promise<boolean> {
    return (await this.#number('SELECT state::int AS n FROM muster.sessions WHERE session_id = $1', [session])) !== 1;
  }

  async #number(text: string, values: readonly unknown[] = []): Promise<number> {
    return (await this.query<{ n: number }>(text, values))[0]?.n ?? 0;
  }
}

function readingOf(replica: string, job: Job): Reading {
  const { outcome } = job;
  const text = outcome.case === 'result' ? Buffer.from(outcome.value.data).toString() : (outcome.value?.message ?? '');
  if (!isTerminal(job.state)) return { job: job.jobId, replica, state: job.state, text: '' };
  return { job: job.jobId, replica, state: job.state, text };
}
