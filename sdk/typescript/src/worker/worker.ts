/** Runs jobs: handlers on this thread, the worker's session on a thread of its own. */
import { Worker as Thread } from 'node:worker_threads';
import { MusterError } from '../error.ts';
import type { Handler } from '../gen/muster/v1/worker_pb.ts';
import type { OpenSessionRequest } from '../gen/muster/worker/v1/session_service_pb.ts';
import type { Logger } from '../logger.ts';
import { consoleLogger } from '../logger.ts';
import { uuidText } from '../uuid.ts';
import { ChildCalls } from './children.ts';
import type { CoreStats } from './core/base/stats.ts';
import { newStats } from './core/base/stats.ts';
import type { Handlers } from './handler.ts';
import { handlerFunction } from './handler.ts';
import { HandlerHost } from './handler-host.ts';
import { PROTOCOL_VERSION, SDK } from './sdk-version.ts';
import type { ThreadData, ThreadEvent, ToHandlers, ToSession } from './thread/messages.ts';
import { SlotFlags } from './thread/slot-flags.ts';

/** Options of a worker. */
export interface WorkerOptions {
  /** gRPC target of the control plane, such as `localhost:7070` or `dns:///muster:7070`. */
  readonly address: string;
  /** Name shown to operators; several workers may share it. `^[a-z0-9][a-z0-9._-]{0,62}$`. */
  readonly name: string;
  /** Default: `default`. */
  readonly namespace?: string;
  /** Handlers by name. A definition's handler has the name of the definition, unless the definition names another. */
  readonly handlers: Handlers;
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

/** An event of the worker's session. `ready`: it can receive jobs. */
export type WorkerEvent = Exclude<ThreadEvent, { type: 'failed' }>['type'];

/** A worker: it runs jobs. Call `run` once. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #flags = new SlotFlags();
  #thread: Thread | undefined;
  #host: HandlerHost | undefined;
  #children: ChildCalls | undefined;
  #finished: Promise<void> | undefined;
  #sessionId: string | undefined;
  #stats: CoreStats = newStats();

  constructor(options: WorkerOptions) {
    this.#options = options;
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
   * Runs jobs until `stop`, until the server drains the worker, or, with `signals`, until SIGINT or SIGTERM.
   *
   * @throws MusterError when the server permanently refuses the worker.
   */
  run(): Promise<void> {
    this.#finished ??= this.#run();
    return this.#finished;
  }

  /**
   * Stops the worker: accepts no more jobs, gives back those that have not started, and waits for running handlers.
   * Handlers that still run after `timeoutMs` are signalled, and their jobs are given back.
   */
  async stop(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#finished === undefined) return;
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
    this.#send({ kind: 'slots', slots });
  }

  async #run(): Promise<void> {
    const { handlers, logger = consoleLogger, signals = false } = this.#options;
    const functions = new Map(Object.entries(handlers).map(([name, handler]) => [name, handlerFunction(handler)]));
    const thread = new Thread(threadUrl(), { workerData: this.#threadData(), name: 'muster-session' });
    this.#thread = thread;
    const children = new ChildCalls(this.#options.address, this.#options.namespace ?? '');
    this.#children = children;
    this.#host = new HandlerHost(functions, this.#flags, logger, thread, children);
    const forget = signals ? this.#listenForSignals() : () => {};
    try {
      await this.#untilEnd(thread);
    } finally {
      forget();
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
    return { address: this.#options.address, core: openRequest(this.#options), flags: this.#flags.memory };
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

function openRequest(options: WorkerOptions): Omit<OpenSessionRequest, 'requestId'> {
  return {
    $typeName: 'muster.worker.v1.OpenSessionRequest',
    namespace: options.namespace ?? '',
    workerName: options.name,
    protocolVersion: PROTOCOL_VERSION,
    sdk: { $typeName: 'muster.v1.Sdk', ...SDK, language: `node ${process.versions.node}` },
    capabilities: [],
    handlers: Object.entries(options.handlers).map(([name, handler]) => describeHandler(name, handler)),
    labels: { ...options.labels },
    resources: { ...options.resources },
    slots: options.slots ?? 10,
  };
}

function describeHandler(name: string, handler: Handlers[string]): Handler {
  const { minVersion = 0, maxVersion = 0 } = typeof handler === 'function' ? {} : handler;
  return { $typeName: 'muster.v1.Handler', name, minVersion, maxVersion };
}
