/** Checks payloads against schemas in a separate thread, which is terminated and replaced if a check takes too long. */
import { Worker } from 'node:worker_threads';
import { EngineError } from '../engine/base/errors.ts';
import type { Log, SchemaCheck, SchemaProblem, Schemas } from '../engine/ports/ports.ts';
import { KnownSchemas } from './known-schemas.ts';
import { SchemaCall } from './schema-call.ts';
import { type At, COMPILE_LIMIT_MS, Stopwatch, VALIDATE_LIMIT_MS } from './stopwatch.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/** Maximum waiting checks; a single call is always accepted. */
const MAX_QUEUED = 20_000;
const MAX_QUEUED_BYTES = 32 << 20;
const POLL_EVERY_MS = 10;
const resourceLimits = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

/** The result of a check that ended the thread. */
function verdictOn(at: At | undefined): string {
  if (at?.phase === 'compile')
    return `the schema took longer than ${COMPILE_LIMIT_MS} ms to compile, or too much memory`;
  return `took longer than ${VALIDATE_LIMIT_MS} ms to check, or too much memory`;
}

export class ThreadSchemas implements Schemas {
  readonly #log: Log;
  #queue: SchemaCall[] = [];
  #queued = { checks: 0, bytes: 0 };
  #running: { readonly call: SchemaCall; readonly sentAt: number } | undefined;
  #thread: Worker | undefined;
  #stopwatch = new Stopwatch();
  #known = new KnownSchemas();
  #probe: NodeJS.Timeout | undefined;
  #stopped = false;

  /** The first check starts the thread. */
  constructor(log: Log) {
    this.#log = log;
  }

  async compile(schema: SchemaCheck['schema']): Promise<SchemaProblem | undefined> {
    return (await this.#add([{ schema, payload: undefined }]))[0];
  }

  async validate(checks: readonly SchemaCheck[]): Promise<readonly (string | undefined)[]> {
    return (await this.#add(checks)).map((problem) => problem?.message);
  }

  /** Ends the thread; waiting checks are refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopWatching();
    const refusal = new EngineError('SHUTTING_DOWN', 'the replica is shutting down; try again');
    for (const call of [this.#running?.call, ...this.#queue.splice(0)]) call?.reject(refusal);
    this.#running = undefined;
    await this.#endThread();
  }

  #add(checks: SchemaCall['checks']): Promise<readonly (SchemaProblem | undefined)[]> {
    const call = new SchemaCall(checks);
    const { checks: waiting, bytes } = this.#queued;
    const isFull = waiting + checks.length > MAX_QUEUED || bytes + call.bytes > MAX_QUEUED_BYTES;
    if (this.#stopped)
      return Promise.reject(new EngineError('SHUTTING_DOWN', 'the replica is shutting down; try again'));
    if (isFull && waiting > 0) {
      const message = 'too many payloads wait to be checked against their schema; try again';
      return Promise.reject(new EngineError('OVERLOADED', message, { retryAfterMs: 250 }));
    }
    this.#queued = { checks: waiting + checks.length, bytes: bytes + call.bytes };
    this.#queue.push(call);
    this.#next();
    return call.promise.finally(() => {
      this.#queued.checks -= checks.length;
      this.#queued.bytes -= call.bytes;
    });
  }

  /** Sends the thread a slice of the next call. */
  #next(): void {
    if (this.#running || this.#stopped) return;
    const call = this.#queue.shift();
    if (!call) {
      this.#stopWatching();
      return;
    }
    this.#thread ??= this.#startThread();
    this.#running = { call, sentAt: performance.now() };
    this.#probe ??= setInterval(() => this.#restartStuck(), POLL_EVERY_MS).unref();
    this.#thread.postMessage(this.#messageFor(call));
  }

  #messageFor(call: SchemaCall): ToThread {
    const schemas: [number, SchemaCheck['schema']][] = [];
    const items = call.slice().map(({ schema, payload }) => {
      const { id, isNew } = this.#known.idOf(schema);
      if (isNew) schemas.push([id, schema]);
      // A copy: the data may be a view of a whole request, all of which would be sent with it.
      return { schemaId: id, payload: payload && { data: payload.data.slice(), contentType: payload.contentType } };
    });
    return { schemas, items, forget: this.#known.trim(new Set(items.map((item) => item.schemaId))) };
  }

  #startThread(): Worker {
    this.#stopwatch = new Stopwatch();
    this.#known = new KnownSchemas();
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const file = new URL(`./schema-thread.${extension}`, import.meta.url);
    const thread = new Worker(file, { workerData: this.#stopwatch.memory, resourceLimits, name: 'schemas' });
    thread.unref();
    thread.on('message', (results: FromThread) => thread === this.#thread && this.#answered(results));
    thread.on('error', (error) => thread === this.#thread && this.#lost(error));
    return thread;
  }

  #answered(results: FromThread): void {
    const running = this.#running;
    if (!running) return;
    this.#running = undefined;
    running.call.take(results, performance.now() - running.sentAt);
    this.#runNext(running.call);
  }

  /** The thread has ended, by itself or terminated by us. Its current check is retried once, alone, then given up. */
  #lost(error: unknown): void {
    const at = this.#stopwatch.at();
    const running = this.#running;
    this.#running = undefined;
    void this.#endThread();
    if (!running) return;
    this.#log.warn({ error: String(error), ...at }, 'replaces the thread that checks payloads');
    if (at) running.call.blame(at.index, { part: '', message: verdictOn(at) }, performance.now() - running.sentAt);
    else running.call.reject(new EngineError('INTERNAL', `the thread that checks payloads ended: ${error}`));
    this.#runNext(running.call);
  }

  #runNext(call: SchemaCall): void {
    if (!call.isDone) this.#queue.push(call);
    this.#next();
  }

  #restartStuck(): void {
    if (this.#running && this.#stopwatch.overdue()) this.#lost('a check took too long');
  }

  #stopWatching(): void {
    clearInterval(this.#probe);
    this.#probe = undefined;
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
