/** A whole run: deployment, fleet and load, from the first process to the evidence after the recovery. */
import { Client, type JobRequest } from '@muster-jobs/sdk';
import { eventually } from '../../support/base/eventually.ts';
import type { Backup } from '../../support/base/standby.ts';
import type { Evidence } from '../checker/evidence.ts';
import { type Restore, undoneJobs } from '../checker/restores.ts';
import { Load, type LoadOptions } from '../load/load.ts';
import { Registers } from '../load/registers.ts';
import { Variety } from '../load/variety.ts';
import { CarelessWorker } from './careless-worker.ts';
import { forgetChildren } from './child.ts';
import { type Deployment, type DeploymentOptions, deploy } from './deployment.ts';
import type { Dice } from './dice.ts';
import { Facts } from './facts.ts';
import { readJournal } from './journal.ts';
import { Leftovers } from './leftovers.ts';
import type { Line } from './network/line.ts';
import { readAtEach } from './readings.ts';
import { readRecords, type WorkerRecord } from './records.ts';
import type { ReplicaProcess } from './replica-process.ts';
import { ailments, MAX_REPLICA_MB, MAX_WORKER_MB } from './vitals.ts';
import { type WorkerPlan, WorkerProcess } from './worker-process.ts';

export const MAX_ATTEMPTS = 5;
const HEAL_MS = 180_000;
const READ_SAMPLE = 250;

export interface RunOptions extends DeploymentOptions {
  /** Whether work of every kind is under way next to the load. Default: no. */
  readonly variety?: boolean;
  /** Whether all replicas are of the newest release, see `Variety`. Needs `variety`. Default: no. */
  readonly isUniform?: boolean;
  /** Whether clients share jobs, queues and keys, and log what they see of them. Needs `variety`. Default: no. */
  readonly registers?: boolean;
  readonly dice: Dice;
  readonly fleet: readonly WorkerPlan[];
  readonly load: Pick<LoadOptions, 'callers' | 'atLeast' | 'atMost' | 'backlog' | 'enough' | 'mayLose'>;
}

export class Run {
  readonly deployment: Deployment;
  readonly workers: readonly WorkerProcess[];
  readonly careless: CarelessWorker;
  readonly load: Load;
  readonly facts: Facts;
  readonly variety: Variety | undefined;
  readonly registers: Registers | undefined;
  readonly restores: Restore[] = [];
  readonly #leftovers: Leftovers;
  readonly #dice: Dice;
  #disbanded = false;

  private constructor(deployment: Deployment, leftovers: Leftovers, options: RunOptions) {
    const { address, recordFolder } = deployment;
    this.deployment = deployment;
    this.#leftovers = leftovers;
    this.#dice = options.dice;
    this.facts = new Facts(deployment.database);
    this.variety = options.variety ? new Variety(address, options.isUniform ?? false) : undefined;
    this.registers = options.registers ? new Registers(address, options.dice.fork()) : undefined;
    const isOpen = (name: string) => this.facts.isOpen(name);
    this.workers = options.fleet.map(
      (place, i) =>
        new WorkerProcess({
          place,
          line: deployment.lines[i] as Line,
          recordFolder,
          isOpen,
          env: deployment.clocks?.workers[i]?.environment,
        }),
    );
    this.careless = new CarelessWorker({
      address,
      name: 'careless',
      slots: 16,
      beatMs: options.beatMs,
      dice: options.dice.fork(),
      isClosed: (session) => this.facts.isClosed(session),
    });
    this.load = new Load({
      ...options.load,
      address,
      hasScripts: options.fleet.some(({ language }) => typeof language !== 'string'),
      dice: options.dice.fork(),
      open: () => this.facts.openJobs(),
      mayBeGone: (job) => undoneJobs(this.load.calls, this.restores).has(job),
    });
  }

  /** Resolves when everything runs and the load has begun. */
  static async start(options: RunOptions): Promise<Run> {
    const leftovers = new Leftovers();
    const run = new Run(await deploy(options, options.fleet.length), leftovers, options);
    try {
      await run.#define();
      await run.variety?.start();
      for (const worker of run.workers) worker.start();
      run.careless.start();
      await Promise.all(run.workers.map((worker) => worker.ready()));
      run.load.start();
      run.registers?.start();
      return run;
    } catch (error) {
      await run.stop();
      throw error;
    }
  }

  /** Waits until that many more jobs have ended, despite all faults. @throws also an error of the load. */
  async progress(jobs: number): Promise<void> {
    const goal = (await this.facts.endedJobs()) + jobs;
    const done = async () => this.load.failure !== undefined || (await this.facts.endedJobs()) >= goal;
    await this.#explained(eventually(`${jobs} more jobs have ended`, done, { timeoutMs: 120_000, everyMs: 50 }));
    if (this.load.failure !== undefined) throw this.load.failure;
  }

  /** Adds the current state to the error of a failed wait. */
  async #explained<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.#scene()}`, { cause: error });
    }
  }

  async #scene(): Promise<string> {
    const facts = await this.facts.scene().catch((error: unknown) => `the store can't be asked: ${error}`);
    const processes = [...this.deployment.replicas, ...this.workers].map(
      ({ name, pid, lines }) => `${name} ${pid ? `runs as ${pid}` : 'does not run'}\n  ${lines.slice(-6).join('\n  ')}`,
    );
    return [facts, `accepted ${this.load.accepted.length}`, this.load.describe(), ...processes].join('\n');
  }

  /** The workers whose process is their session. The one in Python has another process for that. */
  singleProcesses(): readonly WorkerProcess[] {
    return this.workers.filter(({ place }) => place.language !== 'python');
  }

  /** The current records of the worker processes. */
  records(): WorkerRecord[] {
    return readRecords(this.deployment.recordFolder);
  }

  /** Ends all faults and waits until nothing is left to do. */
  async heal(): Promise<void> {
    const { replicas, busProxy, databaseProxy } = this.deployment;
    for (const worker of this.workers) {
      if (worker.frozen) worker.thaw();
      worker.line.resume();
    }
    busProxy?.resume();
    databaseProxy.slow();
    databaseProxy.resume();
    this.deployment.clocks?.reset();
    for (const replica of replicas) {
      replica.proxy.resume();
      if (!replica.alive) await replica.start();
      replica.restore();
    }
    await Promise.all([this.load.finished(), this.registers?.finish(), this.variety?.finish()]);
    const done = async () => {
      await this.load.release(await this.facts.pausedJobs());
      return (await this.facts.openJobs()) === 0;
    };
    await this.#explained(eventually('every job has ended', done, { timeoutMs: HEAL_MS, everyMs: 100 }));
  }

  /** Problems of the processes, though all of them run again. */
  async ailments(): Promise<string[]> {
    const { replicas } = this.deployment;
    // Garbage that is not collected yet is no ailment.
    await Promise.all(replicas.filter(({ alive }) => alive).map((replica) => replica.memory()));
    return [
      ...replicas.flatMap((replica) => [...replica.faults, ...ailments(replica.name, replica.pid, MAX_REPLICA_MB)]),
      ...this.workers.flatMap((worker) => [...worker.faults, ...ailments(worker.name, worker.pid, MAX_WORKER_MB)]),
    ];
  }

  /** Proves after the recovery that each replica works: a few jobs, from submission to result, through it alone. */
  async proveEachReplica(jobs: number): Promise<void> {
    const prove = async ({ proxy }: ReplicaProcess) => {
      const client = this.load.client(`127.0.0.1:${proxy.port}`);
      const one = async (_: unknown, n: number) => {
        const job = await this.load.submit(client, { definition: 'quick', input: { n } });
        await client.result(job, { timeoutMs: HEAL_MS });
      };
      try {
        // All at once, because the careless worker may take one and stay silent until its lease is over.
        await Promise.all(Array.from({ length: jobs }, one));
      } finally {
        client.close();
      }
    };
    await Promise.all(this.deployment.replicas.map(prove));
  }

  /** Ends the fleet in order; after that no session is open, and the record is complete. */
  async disband(): Promise<void> {
    await Promise.all([this.careless.stop(), ...this.workers.map((worker) => worker.stop())]);
    this.#disbanded = true;
    await eventually('every session is closed', async () => (await this.facts.sessionsNotClosed()) === 0, {
      timeoutMs: HEAL_MS,
      everyMs: 100,
    });
  }

  /** Submits one more job next to the load. */
  async submit(request: JobRequest): Promise<string> {
    const client = this.load.client();
    try {
      return await this.load.submit(client, request);
    } finally {
      client.close();
    }
  }

  /**
   * Makes a backup of a database whose address can move, works, and restores it. Jobs continue. `replace` brings the
   * backup to the address: what was answered since it began may be undone.
   */
  async restore(work: () => Promise<void>, replace: (backup: Backup) => Promise<void>): Promise<Restore> {
    const { moving } = this.deployment;
    if (!moving) throw new Error('the address of the database does not move');
    const all = async () => {
      const from = Date.now();
      const backup = await moving.makeBackup();
      try {
        await work();
        await replace(backup);
      } finally {
        backup.remove();
      }
      const restore = { from, to: Date.now() };
      this.restores.push(restore);
      return restore;
    };
    const variety = () => this.variety?.throughRestore(all) ?? all();
    // Its reports would be judged by records that are undone.
    await this.careless.rest();
    try {
      return await (this.registers?.throughRestore(variety) ?? variety());
    } finally {
      this.careless.start();
    }
  }

  /** @param isLost Whether the store has lost an accepted job. Default: it has lost none. */
  async evidence(isLost: (job: string) => boolean = () => false): Promise<Evidence> {
    const journal = await readJournal(this.deployment.database);
    const undone = undoneJobs(this.load.calls, this.restores);
    const jobs = this.load.accepted.filter((job) => !undone.has(job));
    return {
      journal,
      records: [...this.records(), ...this.careless.records].sort((a, b) => a.at - b.at),
      calls: this.load.calls,
      reports: this.careless.reports,
      readings: await readAtEach(
        this.deployment.replicas,
        this.#dice.shuffled(jobs.filter((job) => !isLost(job))).slice(0, READ_SAMPLE),
      ),
      restores: this.restores,
      leaseMs: this.deployment.leaseMs,
      minLeaseMs: this.deployment.minLeaseMs,
      maxAttempts: MAX_ATTEMPTS,
    };
  }

  /** Returns what still runs although everything was stopped; an aborted run is first ended by force. */
  async stop(): Promise<string[]> {
    if (!this.#disbanded) {
      this.load.breakOff();
      this.registers?.breakOff();
      await this.variety?.breakOff();
      for (const worker of this.workers) worker.destroy();
      await Promise.allSettled([this.load.finished(), this.careless.breakOff()]);
    }
    for (const port of this.deployment.ports()) this.#leftovers.watchPort(port);
    await this.deployment.stop();
    const left = this.#leftovers.find();
    forgetChildren();
    return left;
  }

  async #define(): Promise<void> {
    const client = new Client({ address: this.deployment.address });
    const minBackoff = { $typeName: 'google.protobuf.Duration' as const, seconds: 0n, nanos: 20_000_000 };
    try {
      for (const name of ['quick', 'slow', 'flaky', 'stubborn', 'fatal', 'script']) {
        await client.applyDefinition({ name, retryPolicy: { maxAttempts: MAX_ATTEMPTS, minBackoff, multiplier: 1 } });
      }
    } finally {
      client.close();
    }
  }
}
