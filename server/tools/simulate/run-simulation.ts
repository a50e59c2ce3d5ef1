/** Runs a scenario from its first arrival until nothing more can happen. */
import type { JsonObject } from '@bufbuild/protobuf';
import type { Replica } from '../../engine/replica.ts';
import { planSettings } from '../../store/driver/postgres.ts';
import { buildDeployment, type Deployment } from './deployment.ts';
import { withGivenKeys } from './given-keys.ts';
import { Prng } from './prng.ts';
import { Quiet, type Waits } from './quiet.ts';
import type { RecordedJob, Recorder } from './recorder.ts';
import type { Arrival, Scenario } from './scenario.ts';
import { SimPostgres } from './sim-postgres.ts';
import { Workload } from './workload.ts';

export interface Progress {
  /** Jobs that have ended, and submissions that created none. */
  readonly done: number;
  readonly virtualMs: number;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly onProgress: (progress: Progress) => void;
  /** If aborted, the simulation ends with its reason. */
  readonly signal: AbortSignal;
}

export interface SimulatedRun {
  readonly jobs: readonly RecordedJob[];
  /** From the first moment to the last event. */
  readonly spanMs: number;
}

const POLL_MS = 1_000;
/** Jobs that are open at this time stay open. */
const LONGEST_MS = 365 * 86_400_000;
const PAGE = 1_000;

/** Keeps one database for several runs: opening it takes seconds. */
export class Simulator {
  readonly #postgres: SimPostgres;

  private constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  static async open(): Promise<Simulator> {
    return new Simulator(await SimPostgres.open({ settings: planSettings }));
  }

  close(): Promise<void> {
    return this.#postgres.close();
  }

  /** @throws SimulationRefusal for refusals of the scenario or of an arrival by the API */
  async run(scenario: Scenario, arrivals: readonly Arrival[], options: SimulationOptions): Promise<SimulatedRun> {
    const faults: unknown[] = [];
    const onFault = (error: unknown) => void faults.push(error);
    const deployment = await this.#deploy(scenario, arrivals, options.seed, onFault);
    const definitions = new Map(scenario.definitions.map((definition) => [String(definition.name), definition]));
    const workload = new Workload({ ...deployment, definitions, arrivals, onFault });
    const quiet = new Quiet(deployment, workload, waitsOf(scenario));
    await advance(deployment, () => untilOver(deployment, workload, quiet, options), faults, options.signal);
    const { jobs } = deployment.recorder;
    return { jobs, spanMs: jobs.reduce((last, job) => Math.max(last, lastOf(job)), 0) };
  }

  /** Only applies a scenario. @throws SimulationRefusal for refusals of it by the API */
  async check(scenario: Scenario, arrivals: readonly Arrival[], signal: AbortSignal): Promise<void> {
    const faults: unknown[] = [];
    const deployment = await this.#deploy(scenario, arrivals, 0, (error) => void faults.push(error));
    await advance(deployment, () => deployment.prepare(), faults, signal);
  }

  async #deploy(
    scenario: Scenario,
    arrivals: readonly Arrival[],
    seed: number,
    onFault: (error: unknown) => void,
  ): Promise<Deployment> {
    await this.#postgres.reset();
    return buildDeployment({
      postgres: this.#postgres,
      scenario: { ...scenario, definitions: withGivenKeys(scenario.definitions, arrivals) },
      random: new Prng(`simulate ${seed}`),
      onFault,
    });
  }
}

/** Advances time until the steps are done. @throws the first of the faults, with the error of the steps added */
async function advance(
  { world }: Deployment,
  steps: () => Promise<void>,
  faults: unknown[],
  signal: AbortSignal,
): Promise<void> {
  let isOver = false;
  void steps()
    .catch((error: unknown) => void faults.push(error))
    .then(() => {
      isOver = true;
    });
  await world.run(LONGEST_MS, () => isOver || faults.length > 0 || signal.aborted);
  signal.throwIfAborted();
  if (faults.length > 0) throw faults[0];
}

function lastOf({ arrival, attempts, readyMs, endMs = 0 }: RecordedJob): number {
  const last = attempts.at(-1);
  return Math.max(arrival.atMs, readyMs.at(-1) ?? 0, last?.endMs ?? last?.startMs ?? 0, endMs);
}

/**
 * The whole run, with a check every second of virtual time; at the end it reads the data that only the records contain.
 */
async function untilOver(
  { world, recorder, replica, prepare }: Deployment,
  workload: Workload,
  quiet: Quiet,
  { onProgress }: SimulationOptions,
): Promise<void> {
  await prepare();
  workload.start();
  const isDone = () => workload.nextMs === Number.POSITIVE_INFINITY && recorder.done === recorder.jobs.length;
  while (!isDone() && !(await quiet.isQuiet())) {
    onProgress({ done: recorder.done, virtualMs: world.now });
    await new Promise<void>((resolve) => world.after(POLL_MS, resolve));
  }
  await readRecords(replica, recorder);
}

/** Keys as the control plane computed them. */
async function readRecords(replica: Replica, recorder: Recorder): Promise<void> {
  const everything = { namespace: 'default', filter: { states: [], labels: {}, failureTypes: [] }, limit: PAGE };
  for (let beforeJobId: string | undefined; ; ) {
    const { jobs, nextBeforeJobId } = await replica.listJobs({ ...everything, beforeJobId });
    for (const { jobId, limitKey, fairnessKey } of jobs) {
      const job = recorder.find(jobId);
      if (job) Object.assign(job, { limitKey, fairnessKey });
    }
    if (nextBeforeJobId === undefined) return;
    beforeJobId = nextBeforeJobId;
  }
}

/** Whether there are rates or breakers: jobs may wait for time, independent of their turn. */
function waitsOf({ definitions, queues }: Scenario): Waits {
  const rateOf = ({ rateLimit, keyLimit }: JsonObject) => rateLimit ?? (keyLimit as JsonObject | undefined)?.rateLimit;
  return {
    rates: [...definitions, ...queues].some((one) => rateOf(one) !== undefined),
    breakers: definitions.some(({ circuitBreaker }) => circuitBreaker !== undefined),
  };
}
