/** The faults of a run: replicas killed at named points, workers killed and stopped, connections cut and stalled. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KillPoint } from '../../../server/engine/base/kill-points.ts';
import { eventually } from '../../support/base/eventually.ts';
import type { Dice } from './dice.ts';
import type { ReplicaProcess } from './replica-process.ts';
import type { Run } from './run.ts';
import { Tally } from './tally.ts';
import type { WorkerProcess } from './worker-process.ts';

/** The points of schedules, triggers, workflows, waits and retries of batches have tests of their own. */
export type LoadPoint = Exclude<
  KillPoint,
  | 'schedules.after_submit_before_settle'
  | 'workflows.after_commit_before_publish'
  | `signals.${string}`
  | `batches.${string}`
  | `triggers.${string}`
>;

/** Range of the passings of a point before the crash. */
const passings: Readonly<Record<LoadPoint, readonly [number, number]>> = {
  'transaction.before_commit': [5, 30],
  'submit.after_commit_before_reply': [3, 15],
  'claim.after_commit_before_publish': [5, 40],
  'observe.after_publish_before_mark': [1, 4],
  'complete.after_commit_before_reply': [5, 40],
  'change.after_commit_before_reply': [3, 20],
  'open.after_commit_before_reply': [1, 1],
  'close.after_closing_before_freeing': [1, 1],
  'relay.after_take_before_publish': [2, 10],
  'relay.after_publish_before_delete': [2, 10],
};

/** Points that are passed under load. */
export const loadPoints = Object.keys(passings) as LoadPoint[];

const MAX_PROVOCATIONS = 5;
const PROVOCATION_MS = 4_000;
const MAX_STALLS = 4;

export class Nemesis {
  /** Number of times that each fault was injected. */
  readonly tally = new Tally();
  readonly #run: Run;
  readonly #dice: Dice;
  readonly #points: readonly LoadPoint[];
  #over = false;

  constructor(run: Run, dice: Dice, points: readonly LoadPoint[]) {
    this.#run = run;
    this.#dice = dice;
    this.#points = points;
  }

  /** Each kill point once, half of them at each replica, while other faults happen too. */
  async rage(): Promise<void> {
    const points = this.#points;
    const { replicas } = this.#run.deployment;
    const share = Math.ceil(points.length / replicas.length);
    // Its own failure is reported at the end, unless the error that ends the killing hides it.
    const meanwhile = this.#faultsMeanwhile().catch((error: unknown) => error);
    try {
      for (const [n, victim] of replicas.entries())
        await this.#torment(victim, points.slice(n * share, (n + 1) * share));
    } finally {
      this.#over = true;
      await meanwhile;
    }
    const failure = await meanwhile;
    if (failure) throw failure;
  }

  /** One life after another ends at a named point; jobs continue without it each time. */
  async #torment(victim: ReplicaProcess, points: readonly LoadPoint[]): Promise<void> {
    await victim.kill();
    this.tally.count('replica killed at a random moment');
    for (const point of points) {
      await this.#run.progress(20);
      await this.#killAt(victim, point);
    }
    await victim.start();
  }

  async #killAt(victim: ReplicaProcess, point: LoadPoint): Promise<void> {
    await victim.start(`${point}:${this.#dice.int(...passings[point])}`);
    if (point === 'open.after_commit_before_reply' || point === 'close.after_closing_before_freeing') {
      await this.#provoke(victim, point);
    }
    await victim.killedItself(point);
    this.tally.count(`replica killed at ${point}`);
  }

  /** These points are passed rarely: workers are made to pass them, while all calls go to the victim. */
  async #provoke(victim: ReplicaProcess, point: LoadPoint): Promise<void> {
    const others = this.#run.deployment.replicas.filter((replica) => replica !== victim);
    for (let tries = 0; victim.alive && tries < MAX_PROVOCATIONS; tries++) {
      const worker = this.#dice.pick(this.#typescript().filter(({ frozen }) => !frozen));
      await worker.ready();
      for (const other of others) other.divert(victim);
      if (point.startsWith('close.')) worker.signal('SIGUSR2');
      else await worker.kill();
      this.tally.count(point.startsWith('close.') ? 'worker closed its session with what it held' : 'worker killed');
      await eventually('the victim is dead', () => !victim.alive, { timeoutMs: PROVOCATION_MS }).catch(() => {});
    }
    for (const other of others) other.restore();
  }

  #typescript(): WorkerProcess[] {
    return this.#run.workers.filter(({ place }) => place.language === 'typescript');
  }

  /** Every fault once, then random ones, until the killing is over; between two of them jobs have to continue. */
  async #faultsMeanwhile(): Promise<void> {
    const faults = [
      () => this.#killWorker(),
      () => this.#killPython(),
      () => this.#killPythonSession(),
      () => this.#freezeWorker(),
      () => this.#cutOffWorker(),
      () => this.#cut(),
      () => this.#cutInAnswer(),
      () => this.#stall(),
      () => this.#stallEverything(),
      () => this.#stallBus(),
      () => this.#endDatabaseConnections(),
      () => this.#crashDatabase(),
      () => this.#fatalJob(),
    ];
    const row = this.#dice.shuffled(faults);
    for (let n = 0; n < row.length || !this.#over; n++) {
      await (row[n] ?? this.#dice.pick(faults))();
      await this.#run.progress(60);
    }
  }

  async #killWorker(): Promise<void> {
    await this.#dice.pick(this.#run.singleProcesses()).kill();
    this.tally.count('worker killed');
  }

  async #killPython(): Promise<void> {
    await this.#python()?.kill();
    this.tally.count('Python worker killed');
  }

  /** Kills the process that sends its heartbeats; the handlers' process lives on. */
  async #killPythonSession(): Promise<void> {
    const pid = this.#python()
      ?.records()
      .find((record) => record.sessionPid !== undefined)?.sessionPid;
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
      this.tally.count("Python worker's session process killed");
    } catch {
      // It had just exited.
    }
  }

  #python(): WorkerProcess | undefined {
    return this.#run.workers.find(({ place }) => place.language === 'python');
  }

  /** Stops a worker until its session has been closed without its knowledge. */
  async #freezeWorker(): Promise<void> {
    const worker = this.#dice.pick(this.#run.singleProcesses());
    await worker.ready();
    worker.freeze();
    await this.#lapse(worker);
    worker.thaw();
    this.tally.count('worker stopped past its lease');
  }

  /** The worker's calls fail, though it runs and receives from the bus, and all other clients get through. */
  async #cutOffWorker(): Promise<void> {
    const worker = this.#dice.pick(this.#run.workers);
    await worker.ready();
    worker.line.stall();
    await this.#lapse(worker);
    worker.line.resume();
    this.tally.count('worker cut off past its lease');
  }

  /** Waits until the worker's session has been closed without its knowledge, or until it has died of another cause. */
  async #lapse(worker: WorkerProcess): Promise<void> {
    const { name } = worker;
    const over = async () => worker.name !== name || (await this.#run.facts.hasLapsed(name));
    await eventually(`the session of ${name} has lapsed`, over, { timeoutMs: 120_000, everyMs: 50 });
  }

  async #cut(): Promise<void> {
    this.#dice.pick(this.#run.deployment.replicas).proxy.cut();
    this.tally.count('connections to a replica cut');
  }

  async #cutInAnswer(): Promise<void> {
    this.#dice.pick(this.#run.deployment.replicas).proxy.cutAfter(this.#dice.int(1, 2_000));
    this.tally.count('connections to a replica cut in the middle of an answer');
  }

  async #stall(): Promise<void> {
    const { proxy } = this.#dice.pick(this.#run.deployment.replicas);
    proxy.stall();
    await delay(this.#dice.int(300, 1_200));
    proxy.resume();
    this.tally.count('connections to a replica held up');
  }

  /**
   * Long enough for every worker to give up its lease, and just short enough that not every session is closed. Repeated
   * until a worker has stopped a handler by itself and could still report that.
   */
  async #stallEverything(): Promise<void> {
    const { replicas, leaseMs } = this.#run.deployment;
    const { facts } = this.#run;
    const before = await facts.abortedAttempts();
    const aborted = async () => (await facts.abortedAttempts()) > before;
    for (let tries = 0; tries < MAX_STALLS && !(await aborted()); tries++) {
      await this.#occupy(leaseMs * 2);
      for (const { proxy } of replicas) proxy.stall();
      await delay(leaseMs * 0.9);
      for (const { proxy } of replicas) proxy.resume();
      this.tally.count('connections to every replica held up past the fence');
      await eventually('a worker says that it stopped a handler', aborted, { timeoutMs: leaseMs / 2 }).catch(() => {});
    }
  }

  /** Makes workers run handlers that take this long. */
  async #occupy(ms: number): Promise<void> {
    const jobs = new Set<string | undefined>();
    for (let n = 0; n < 6; n++) jobs.add(await this.#run.submit({ definition: 'slow', input: { ms }, priority: 100 }));
    const started = () =>
      this.#run.records().filter((record) => record.kind === 'start' && jobs.has(record.job)).length;
    await eventually('half of the long jobs run', () => started() >= 3, { timeoutMs: 60_000, everyMs: 50 });
  }

  async #stallBus(): Promise<void> {
    this.#run.deployment.busProxy?.stall();
    await delay(this.#dice.int(1_500, 3_500));
    this.#run.deployment.busProxy?.resume();
    this.tally.count('bus held up');
  }

  /** Breaks the connections, so that every pending answer of the database to a replica is lost. */
  async #endDatabaseConnections(): Promise<void> {
    const ended = await this.#run.facts.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'muster' AND random() < 0.5",
    );
    this.tally.count('database connection ended', ended.length);
  }

  /** Kills one of its processes, so that it aborts every transaction and recovers from its log. */
  async #crashDatabase(): Promise<void> {
    const [backend] = await this.#run.facts.query<{ pid: number }>(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'muster' LIMIT 1",
    );
    if (!backend) return;
    process.kill(backend.pid, 'SIGKILL');
    this.tally.count('database crashed');
  }

  /** Submits a job whose handler kills its process. */
  async #fatalJob(): Promise<void> {
    await this.#run.submit({ definition: 'fatal', input: { when: this.#dice.pick(['start', 'end']) } });
    this.tally.count('job submitted that kills its worker');
  }
}
