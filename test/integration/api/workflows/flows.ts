/** Workflows for tests: their definitions, an SDK worker that plays their steps, and their outcomes. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  Client,
  type ClientOptions,
  type DefinitionInit,
  decodePayload,
  type Failure,
  type Job,
  type JobContext,
  type JobOptions,
  NonRetryableError,
  stateName,
  Worker,
} from '@muster-jobs/sdk';
import {
  StepRole,
  TriggerRule,
  type WorkflowBodySchema,
  type WorkflowStepSchema,
} from '@muster-jobs/sdk/gen/muster/v1/workflow_pb';
import { eventually } from '../../../support/base/eventually.ts';
import type { databaseKinds } from '../../../support/databases/databases.ts';
import { World } from '../base/world.ts';

export type Step = Partial<MessageInitShape<typeof WorkflowStepSchema>> & { readonly name: string };
export type Flow = Omit<Partial<MessageInitShape<typeof WorkflowBodySchema>>, 'steps'>;

/** Instructions to the handler of a step; by default it returns its input. */
export interface Part {
  /** Name under which its start is recorded. */
  readonly as?: string;
  /** Its result. Default: its input. */
  readonly give?: unknown;
  /** It returns nothing, or bytes that are not JSON. */
  readonly returns?: 'nothing' | 'bytes';
  /** It fails with this message. */
  readonly fail?: string;
  /** Attempts that fail before one succeeds. */
  readonly failures?: number;
  /** It waits until the test releases this name, or until it is stopped. */
  readonly hold?: string;
  /** It ignores a request to stop. */
  readonly deaf?: boolean;
  /**
   * It waits until another job has come to the same meeting, so that both end at once, on whichever workers they run.
   */
  readonly meet?: string;
}

export interface Start {
  readonly jobId: string;
  readonly part: Part & Readonly<Record<string, unknown>>;
}

const WAIT_MS = 60_000;

/** Shared by all workers of this process. */
const meetings = new Map<string, { readonly come: Set<string>; readonly go: (() => void)[] }>();

export class Flows {
  readonly client: Client;
  /** In their order. */
  readonly starts: Start[] = [];
  /** Running handlers, and their maximum since `mostRunning` was set to 0. */
  readonly stopped: Start[] = [];
  /** Running handlers, and their maximum since `most` was set to 0. */
  running = 0;
  mostRunning = 0;
  readonly #let = new Set<string>();
  readonly #held = new Map<string, (() => void)[]>();
  readonly #worker: Worker;
  readonly #run: Promise<void>;
  #names = 0;

  private constructor(address: string, options: Partial<ClientOptions>) {
    this.client = new Client({ address, ...options });
    this.#worker = new Worker({
      address,
      name: 'player',
      slots: 2_000,
      handlers: { play: (ctx, input) => this.#play(ctx, input) },
      logger: { log: () => {} },
    });
    this.#run = this.#worker.run();
  }

  /** Applies a definition `play` with one attempt. */
  static async start(address: string, options: Partial<ClientOptions> = {}): Promise<Flows> {
    const flows = new Flows(address, options);
    await flows.client.applyDefinition({ name: 'play', retryPolicy: { maxAttempts: 1 } });
    return flows;
  }

  async stop(): Promise<void> {
    await this.#worker.stop({ timeoutMs: 0 });
    await this.#run;
    this.client.close();
  }

  /** A unique name. */
  name(what = 'flow'): string {
    return `${what}-${++this.#names}`;
  }

  /** Defines a new workflow of these steps, made from `play` by default. Returns its name. */
  async define(steps: readonly Step[], flow: Flow = {}, rest: Partial<DefinitionInit> = {}): Promise<string> {
    const name = this.name();
    await this.apply(name, steps, flow, rest);
    return name;
  }

  async apply(
    name: string,
    steps: readonly Step[],
    flow: Flow = {},
    rest: Partial<DefinitionInit> = {},
  ): Promise<void> {
    const value = { ...flow, steps: steps.map((step) => ({ definition: 'play', input: asInput(step), ...step })) };
    await this.client.applyDefinition({ ...rest, name, body: { case: 'workflow', value } } as DefinitionInit);
  }

  /** Defines a new task that the worker plays. Returns its name. */
  async task(changes: Partial<DefinitionInit> = {}): Promise<string> {
    const name = this.name('task');
    const body = { case: 'task', value: { handler: 'play' } };
    await this.client.applyDefinition({ ...changes, name, body } as DefinitionInit);
    return name;
  }

  async submit(definition: string, input: unknown = {}, options: JobOptions = {}): Promise<string> {
    return (await this.client.submit(definition, input, options)).jobId;
  }

  /** The job once it has ended. */
  async ended(jobId: string, timeoutMs = WAIT_MS): Promise<Job> {
    const job = await this.client.wait(jobId, { timeoutMs });
    if (job.endTime === undefined) throw new Error(`job ${jobId} is ${stateName(job.state)} after ${timeoutMs} ms`);
    return job;
  }

  /** Runs a new workflow to its end. */
  async run(steps: readonly Step[], input: unknown = {}, flow: Flow = {}): Promise<Job> {
    return this.ended(await this.submit(await this.define(steps, flow), input));
  }

  /** Jobs of its steps, newest first, without inputs and results. */
  async children(jobId: string): Promise<Job[]> {
    const { definition, createTime } = await this.client.get(jobId);
    if (!createTime) throw new Error(`job ${jobId} of ${definition} has no time`);
    const minCreateTime = new Date(Number(createTime.seconds) * 1_000);
    const found: Job[] = [];
    for await (const job of this.client.list({ minCreateTime }, { pageSize: 1_000 }))
      if (job.parentJobId === jobId) found.push(job);
    return found;
  }

  /** Names of the started steps of this workflow, in the order of their starts. */
  startsOf(children: readonly Job[]): string[] {
    const ids = new Set(children.map(({ jobId }) => jobId));
    return this.starts.flatMap(({ jobId, part }) => (ids.has(jobId) ? [part.as ?? ''] : []));
  }

  /** The starts that were recorded under this name. */
  startsAs(as: string): Start[] {
    return this.starts.filter(({ part }) => part.as === as);
  }

  /** The states that the workflow's witness recorded. */
  statesOf(jobId: string): unknown {
    return this.startsAs('witness').find(({ part }) => part.of === jobId)?.part.states;
  }

  /** Waits for that many starts under this name. */
  hasStarted(as: string, times = 1): Promise<unknown> {
    return eventually(`${as} is started ${times} times`, () => this.startsAs(as).length >= times, {
      timeoutMs: WAIT_MS,
    });
  }

  /** Releases every current and later handler that waits under this name. */
  reopen(name: string): void {
    this.#let.add(name);
    for (const go of this.#held.get(name) ?? []) go();
  }

  async #play(ctx: JobContext, input: Start['part'] | undefined): Promise<unknown> {
    const start = { jobId: ctx.jobId, part: input ?? {} };
    this.starts.push(start);
    this.running++;
    this.mostRunning = Math.max(this.mostRunning, this.running);
    try {
      const { give, fail, failures = 0, hold, deaf, meet } = start.part;
      if (hold !== undefined) await this.#hold(hold, deaf ? new AbortController().signal : ctx.signal, start);
      if (meet !== undefined) await this.#meet(meet, ctx.jobId);
      if (fail) throw new NonRetryableError(fail);
      if (ctx.attemptCount < failures) throw new Error(`try ${ctx.attemptCount}`);
      const { returns } = start.part;
      if (returns) return returns === 'bytes' ? new Uint8Array([0xff, 0]) : undefined;
      return give === undefined ? start.part : give;
    } finally {
      this.running--;
    }
  }

  /** Whether two jobs were in their handlers at the same moment, and only then continued. */
  static haveMet(name: string): boolean {
    return meetings.get(name)?.come.size === 2;
  }

  #meet(name: string, jobId: string): Promise<void> {
    const meeting = meetings.get(name) ?? { come: new Set(), go: [] };
    meetings.set(name, meeting);
    meeting.come.add(jobId);
    if (meeting.come.size < 2) return new Promise((resolve) => meeting.go.push(resolve));
    for (const go of meeting.go) go();
    return Promise.resolve();
  }

  #hold(name: string, signal: AbortSignal, start: Start): Promise<void> {
    if (this.#let.has(name)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#held.set(name, [...(this.#held.get(name) ?? []), resolve]);
      signal.addEventListener('abort', () => {
        this.stopped.push(start);
        reject(signal.reason);
      });
    });
  }
}

/** The step's input as an expression; by default its name with the parts of the workflow's input for it. */
function asInput({ name, definition }: Step): string {
  if (definition !== undefined) return '';
  return `{"as": "${name}"}`;
}

/** An expression for `part` with the name of the step. */
export function plays(as: string, part: Part): string {
  return JSON.stringify({ as, ...part });
}

/** A last step that records how these have ended. */
export function witness(...steps: readonly string[]): Step {
  const states = steps.map((step) => `"${step}": steps.${step}.state`).join(', ');
  return {
    name: 'witness',
    role: StepRole.FINALLY,
    input: `{"as": "witness", "of": workflow.job_id, "states": {${states}}}`,
  };
}

export function resultOf({ outcome }: Job): unknown {
  return outcome.case === 'result' ? decodePayload(outcome.value) : undefined;
}

export function failureOf({ outcome }: Job): Failure | undefined {
  return outcome.case === 'failure' ? outcome.value : undefined;
}

export { StepRole, stateName, TriggerRule };

export interface Place {
  readonly world: World;
  readonly flows: Flows;
  stop(): Promise<void>;
}

export async function startOn(kind: (typeof databaseKinds)[number]): Promise<Place> {
  const world = await World.startOn(kind);
  const flows = await Flows.start(world.replica.grpcAddress);
  return { world, flows, stop: () => flows.stop().finally(() => world.stop()) };
}
