/** Submits each job when it arrives, as clients do, and records the result of the call. */
import type { JsonObject } from '@bufbuild/protobuf';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { durationTo } from '../../api/base/convert-payload.ts';
import { CallRefusal, type Calls } from './calls.ts';
import { givenKeysOf } from './given-keys.ts';
import { type RecordedJob, type Recorder, START_MS } from './recorder.ts';
import { type Arrival, SimulationRefusal } from './scenario.ts';
import type { World } from './world.ts';

/** Refusals of valid jobs: such a job is lost, as far as the simulation knows. */
const decided: ReadonlySet<string> = new Set(['QUEUE_FULL', 'LIMIT_REACHED', 'THROTTLED', 'DUPLICATE_JOB']);
/** As in the SDKs, a call that was refused temporarily is repeated. */
const AGAIN_MS = 250;

export interface WorkloadParts {
  readonly world: World;
  readonly calls: Calls;
  readonly recorder: Recorder;
  /** By name. */
  readonly definitions: ReadonlyMap<string, JsonObject>;
  /** Sorted by time. */
  readonly arrivals: readonly Arrival[];
  /** Called once for the first arrival that can't be submitted: the simulation is over. */
  readonly onFault: (error: Error) => void;
}

export class Workload {
  readonly #parts: WorkloadParts;
  #next = 0;

  constructor(parts: WorkloadParts) {
    this.#parts = parts;
  }

  /** When the next job arrives, in the world's time; infinite: all have arrived. */
  get nextMs(): number {
    const next = this.#parts.arrivals[this.#next];
    return next ? START_MS + next.atMs : Number.POSITIVE_INFINITY;
  }

  start(): void {
    const { world } = this.#parts;
    if (Number.isFinite(this.nextMs)) world.at(this.nextMs, () => this.#arrive());
  }

  /** Submits all jobs that arrive at this moment, in the order of the file; then waits for the next. */
  #arrive(): void {
    const { arrivals, recorder } = this.#parts;
    const atMs = arrivals[this.#next]?.atMs;
    for (let arrival = arrivals[this.#next]; arrival && arrival.atMs === atMs; arrival = arrivals[++this.#next])
      void this.#submit(arrival, recorder.asks(arrival, this.#queueOf(arrival)));
    this.start();
  }

  #queueOf({ queue, definition }: Arrival): string {
    return queue || String(this.#parts.definitions.get(definition)?.queue ?? 'default');
  }

  async #submit(arrival: Arrival, job: RecordedJob): Promise<void> {
    const { calls, recorder, world, onFault } = this.#parts;
    try {
      const { jobId, existing } = await calls.call(JobService.method.submitJob, { job: this.#submission(arrival) });
      recorder.accepted(job, jobId, existing);
    } catch (error) {
      const reason = error instanceof CallRefusal ? error.reason : '';
      if (reason === 'OVERLOADED') world.after(AGAIN_MS, () => void this.#submit(arrival, job));
      else recorder.refused(job, reason);
      if (reason !== 'OVERLOADED' && !decided.has(reason)) onFault(faultOf(arrival, error as Error));
    }
  }

  #submission(arrival: Arrival) {
    const { definition, queue, priority, input, delayMs } = arrival;
    const keys = givenKeysOf(arrival, this.#parts.definitions.get(definition) ?? {});
    const data = input === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(input));
    return {
      definition,
      queue,
      ...keys,
      input: { data, contentType: 'application/json' },
      ...(priority === undefined ? {} : { priority }),
      ...(delayMs > 0 ? { start: { case: 'delay' as const, value: durationTo(delayMs) } } : {}),
    };
  }
}

function faultOf({ line }: Arrival, error: Error): Error {
  if (!(error instanceof CallRefusal) || error.reason === 'INTERNAL') return error;
  const { violations, message } = error;
  const details = violations.map(
    ({ field, description }) => `line ${line}: ${field.replace(/^job\./, '')}: ${description}`,
  );
  return new SimulationRefusal('an arrival was refused', details.length > 0 ? details : [`line ${line}: ${message}`]);
}
