/** Runs jobs: handlers on this thread, the worker's session on a thread of its own. */
import { Worker as Thread } from 'node:worker_threads';
import type { DefinitionInit } from '../client/definition.ts';
import { MusterError } from '../error.ts';
import type { JobDefinition } from '../gen/muster/v1/job_definition_pb.ts';
import type { Handler } from '../gen/muster/v1/worker_pb.ts';
import type { OpenSessionRequest } from '../gen/muster/worker/v1/session_service_pb.ts';
import type { Logger } from '../logger.ts';
import { consoleLogger } from '../logger.ts';
import type { Known } from '../options/known-options.ts';
import { refuseUnknownOptions } from '../options/known-options.ts';
import { openChannel } from '../transport/grpc-channel.ts';
import type { TypedJob } from '../typed/typed-job.ts';
import { uuidText } from '../uuid.ts';
import { ChildCalls } from './children.ts';
import type { CoreStats } from './core/base/stats.ts';
import { newStats } from './core/base/stats.ts';
import { applyDefinitions, definitionMessages } from './definitions.ts';
import type { HandlerFunction, Handlers, VersionedHandler } from './handler.ts';
import { handlerFunction } from './handler.ts';
import { HandlerHost } from './handler-host.ts';
import { PROTOCOL_VERSION, SDK } from './sdk-version.ts';
import type { ThreadData, ThreadEvent, ToHandlers, ToSession } from './thread/messages.ts';
import { SlotFlags } from './thread/slot-flags.ts';
import type { HandlerOf } from './typed-handler.ts';
import { checkedHandler, handlerName } from './typed-handler.ts';

/** Options of a worker. */
export interface WorkerOptions {
  /** gRPC target of the control plane, such as `localhost:7070` or `dns:///muster:7070`. */
  readonly address: string;
  /** Name shown to operators; several workers may share it. `^[a-z0-9][a-z0-9._-]{0,62}$`. */
  readonly name: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /**
   * Handlers by name. A definition's handler has the name of the definition, unless the definition names another.
   * `handle` adds more. Default: none.
   */
  readonly handlers?: Handlers | undefined;
  /**
   * Definitions that the worker stores when it starts, before its first session. The definition that a worker applies
   * last is the newest version, so workers of different releases should not list the same one. While the control plane
   * can't be reached the worker waits; any other refusal ends `run`. Default: none.
   */
  readonly definitions?: readonly (DefinitionInit | TypedJob)[];
  /** Handlers that may run at once, from 1 to 10,000. Default: 10. */
  readonly slots?: number;
  /** Labels that jobs may require. At most 64. */
  readonly labels?: Record<string, string>;
  /**
   * Resource totals from which jobs take their demands, such as `{ cpu: 8, memory: 16 * 2 ** 30, gpu: 2 }`: cores,
   * bytes, devices. You may define other names. At most 16.
   */
  readonly resources?: Record<string, number>;
  /**
   * Whether SIGINT and SIGTERM stop the worker. A second signal stops it without waiting for handlers. Default: false.
   */
  readonly signals?: boolean;
  /** How long `stop` waits for handlers, in milliseconds. Default: 30,000. */
  readonly stopTimeoutMs?: number;
  /** Logger of the worker and of `ctx.log`. Default: JSON lines on the console. */
  readonly logger?: Logger;
  /** Called on each event of the worker's session. */
  readonly onEvent?: (event: WorkerEvent) => void;
}

const workerOptions: Known<WorkerOptions> = {
  address: true,
  name: true,
  namespace: true,
  handlers: true,
  definitions: true,
  slots: true,
  labels: true,
  resources: true,
  signals: true,
  stopTimeoutMs: true,
  logger: true,
  onEvent: true,
};

/** How a worker stops. */
interface StopOptions {
  /** Replaces the worker's `stopTimeoutMs`. */
  readonly timeoutMs?: number;
}

const stopOptions: Known<StopOptions> = { timeoutMs: true };

/** An event of the worker's session. `ready`: it can receive jobs. */
export type WorkerEvent = Exclude<ThreadEvent, { type: 'failed' }>['type'];

/** A worker: it runs jobs. Call `run` once. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #definitions: readonly JobDefinition[];
  readonly #handlers = new Map<string, HandlerFunction | VersionedHandler>();
  /** Aborted by `stop`: definitions that are not stored yet are given up. */
  readonly #stopped = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #flags = new SlotFlags();
  #thread: Thread | undefined;
  #host: HandlerHost | undefined;
  #children: ChildCalls | undefined;
  #finished: Promise<void> | undefined;
  #sessionId: string | undefined;
  /** `undefined`: as the options say. */
  #slots: number | undefined;
  #stats: CoreStats = newStats();

  /** @throws TypeError when an option is unknown, also within a definition. */
  constructor(options: WorkerOptions) {
    refuseUnknownOptions('new Worker', options, workerOptions);
    const { definitions = [], handlers = {}, namespace = '' } = options;
    this.#options = options;
    this.#definitions = definitionMessages(definitions, namespace);
    for (const [name, handler] of Object.entries(handlers)) this.#handlers.set(name, handler);
  }

  /** UUID of the current session. `undefined` while there is none. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Counters, as of the last event. */
  get stats(): Readonly<CoreStats> {
    return this.#stats;
  }

  /**
   * Adds a handler, before `run`. The handler of a typed job gets the input after the schema's transforms. An input that
   * does not fit fails the attempt with a `NonRetryableError`; a result that does not fit, with a failure of type
   * `OutputSchemaViolation`, which is retried like others. The job's definition is not stored, unless it is one of the
   * worker's `definitions`.
   *
   * @throws TypeError when the job is no task, or no handler is given; Error when the name has a handler, or the worker
   *   has started.
   */
  handle<Input, Output>(
    job: TypedJob<unknown, unknown, Input, Output>,
    handler: HandlerOf<NoInfer<Input>, NoInfer<Output>>,
  ): this;
  handle(name: string, handler: HandlerFunction | VersionedHandler): this;
  handle(job: string | TypedJob, handler: HandlerFunction | VersionedHandler): this {
    const name = typeof job === 'string' ? job : handlerName(job);
    if (this.#finished) throw new Error(`handle: the worker has started: add the handler of ${name} before run()`);
    if (this.#handlers.has(name)) throw new Error(`handle: ${name} has a handler already: give it one only`);
    const run = typeof job === 'string' ? handler : checkedHandler(job, handler);
    handlerFunction(run, `handle: ${name}`);
    this.#handlers.set(name, run);
    return this;
  }

  /**
   * Runs jobs until `stop`, until the server drains the worker, or, with `signals`, until SIGINT or SIGTERM.
   *
   * @throws MusterError when the server permanently refuses the worker, or one of its definitions.
   */
  run(): Promise<void> {
    this.#finished ??= this.#run();
    return this.#finished;
  }

  /**
   * Resolves when the worker can receive jobs for the first time: its definitions are stored, its session is open. Call
   * `run` before.
   *
   * @throws MusterError as `run` does; Error when `run` was not called, or the worker ended before it was ready.
   */
  async ready(): Promise<void> {
    if (this.#finished === undefined) throw new Error('ready: the worker has not started: call run() first');
    const ended = this.#finished.then(() => {
      throw new Error('ready: the worker has ended before it could receive jobs');
    });
    await Promise.race([this.#ready.promise, ended]);
  }

  /**
   * Stops the worker: accepts no more jobs, gives back those that have not started, and waits for running handlers.
   * Handlers that still run after `timeoutMs` are signalled, and their jobs are given back.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    refuseUnknownOptions('stop', options, stopOptions);
    if (this.#finished === undefined) return;
    this.#stopped.abort();
    const timeoutMs = options.timeoutMs ?? this.#options.stopTimeoutMs ?? 30_000;
    if (timeoutMs > 0) this.#send({ kind: 'drain' });
    const timer = setTimeout(() => this.#send({ kind: 'close' }), timeoutMs);
    try {
      await this.#finished;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Changes the number of handlers that may run at once. Running handlers continue. */
  setSlots(slots: number): void {
    this.#slots = slots;
    this.#send({ kind: 'slots', slots });
  }

  async #run(): Promise<void> {
    const { logger = consoleLogger, signals = false } = this.#options;
    const functions = new Map<string, HandlerFunction>();
    for (const [name, handler] of this.#handlers) functions.set(name, handlerFunction(handler, `handler ${name}`));
    const forget = signals ? this.#listenForSignals() : () => {};
    try {
      // Without definitions the thread starts in this turn.
      if (this.#definitions.length > 0 && !(await this.#storeDefinitions(logger))) return;
      await this.#serve(functions, logger);
    } finally {
      forget();
    }
  }

  /** False: the worker was stopped before they were stored. */
  async #storeDefinitions(logger: Logger): Promise<boolean> {
    const { signal } = this.#stopped;
    const channel = openChannel(this.#options.address);
    try {
      await applyDefinitions(this.#definitions, channel, logger, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      channel.close();
    }
    if (!signal.aborted) return true;
    this.#options.onEvent?.('draining');
    this.#options.onEvent?.('closed');
    return false;
  }

  async #serve(functions: ReadonlyMap<string, HandlerFunction>, logger: Logger): Promise<void> {
    const thread = new Thread(threadUrl(), { workerData: this.#threadData(), name: 'muster-session' });
    this.#thread = thread;
    const children = new ChildCalls(this.#options.address, this.#options.namespace ?? '');
    this.#children = children;
    this.#host = new HandlerHost(functions, this.#flags, logger, thread, children);
    try {
      await this.#untilEnd(thread);
    } finally {
      this.#thread = undefined;
      this.#host.stopAll('shutdown');
      children.close();
      await thread.terminate();
    }
  }

  #untilEnd(thread: Thread): Promise<void> {
    return new Promise((resolve, reject) => {
      thread.on('message', (message: ToHandlers) => {
        if (message.kind !== 'event') this.#handle(message);
        else if (message.event.type === 'failed') reject(new MusterError(message.event));
        else if (this.#observe(message.event, message.stats) === 'closed') resolve();
      });
      thread.on('error', reject);
      thread.on('exit', (code) => reject(new Error(`the session's thread ended with code ${code}`)));
    });
  }

  #handle(message: Exclude<ToHandlers, { kind: 'event' }>): void {
    switch (message.kind) {
      case 'starts':
        this.#host?.startAll(message.starts);
        break;
      case 'stop':
        this.#host?.stop(message.slot, message.reason);
        break;
      case 'log':
        this.#host?.log(message.level, message.message, message.fields);
        break;
      default:
        message satisfies never;
    }
  }

  #observe(event: Exclude<ThreadEvent, { type: 'failed' }>, stats: CoreStats): WorkerEvent {
    this.#stats = stats;
    if (event.type === 'opened') {
      this.#sessionId = uuidText(event.sessionId);
      if (this.#children) this.#children.sessionId = this.#sessionId;
      if (this.#host && event.maxPayload > 0) this.#host.maxPayload = event.maxPayload;
    }
    if (event.type === 'ready') this.#ready.resolve();
    if (event.type === 'lost' || event.type === 'closed') this.#sessionId = undefined;
    this.#options.onEvent?.(event.type);
    return event.type;
  }

  #listenForSignals(): () => void {
    let stopping = false;
    const listener = () => {
      // `run` reports a failure.
      this.stop(stopping ? { timeoutMs: 0 } : {}).catch(() => {});
      stopping = true;
    };
    process.on('SIGINT', listener);
    process.on('SIGTERM', listener);
    return () => {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    };
  }

  #threadData(): ThreadData {
    const slots = this.#slots ?? this.#options.slots ?? 10;
    const core = openRequest(this.#options, this.#handlers, slots);
    return { address: this.#options.address, core, flags: this.#flags.memory };
  }

  #send(message: ToSession): void {
    this.#thread?.postMessage(message);
  }
}

/** Works for the TypeScript source and for the JavaScript build. */
function threadUrl(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./thread/session-thread.${extension}`, import.meta.url);
}

function openRequest(
  options: WorkerOptions,
  handlers: ReadonlyMap<string, HandlerFunction | VersionedHandler>,
  slots: number,
): Omit<OpenSessionRequest, 'requestId'> {
  return {
    $typeName: 'muster.worker.v1.OpenSessionRequest',
    namespace: options.namespace ?? '',
    workerName: options.name,
    protocolVersion: PROTOCOL_VERSION,
    sdk: { $typeName: 'muster.v1.Sdk', ...SDK, language: `node ${process.versions.node}` },
    capabilities: [],
    handlers: Array.from(handlers, ([name, handler]) => describeHandler(name, handler)),
    labels: { ...options.labels },
    resources: { ...options.resources },
    slots,
  };
}

function describeHandler(name: string, handler: HandlerFunction | VersionedHandler): Handler {
  const { minVersion = 0, maxVersion = 0 } = typeof handler === 'function' ? {} : handler;
  return { $typeName: 'muster.v1.Handler', name, minVersion, maxVersion };
}
