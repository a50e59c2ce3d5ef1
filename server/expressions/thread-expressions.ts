/**
 * Evaluates expressions in a separate thread, so that the replica answers meanwhile. The cost of an expression is
 * bounded; the bounds of time and memory here only end a thread that hangs all the same.
 */
import { Worker } from 'node:worker_threads';
import type { Evaluation, EvaluationAnswer } from '../domain/workflows/expressions/evaluation.ts';
import { EngineError } from '../engine/base/errors.ts';
import type { Expressions, Log } from '../engine/ports/ports.ts';
import { type FromThread, packed } from './thread-messages.ts';

/** An evaluation takes some 0.1 s at most. */
const MAX_MS = 5_000;
/** A thread loads its code first. */
const MAX_START_MS = 30_000;
const CHECK_EVERY_MS = 500;
/** Threads that may end at the same evaluations. */
const MAX_TRIES = 3;
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 };

interface Pending {
  readonly evaluation: Evaluation;
  readonly resolve: (answer: EvaluationAnswer) => void;
  readonly reject: (error: Error) => void;
  tries: number;
}

export interface ThreadOptions {
  /** Of the thread, instead of the one that evaluates. */
  readonly file?: URL;
  readonly maxMs?: number;
}

export class ThreadExpressions implements Expressions {
  readonly #log: Log;
  readonly #file: URL;
  readonly #maxMs: number;
  /** In the order in which the thread has got them. */
  readonly #pending: Pending[] = [];
  #thread: Worker | undefined;
  #progress = new Int32Array(new SharedArrayBuffer(4));
  #seen = { progress: 0, at: 0 };
  #check: NodeJS.Timeout | undefined;
  #stopped = false;

  /** The first expression starts the thread. */
  constructor(log: Log, { file, maxMs = MAX_MS }: ThreadOptions = {}) {
    this.#log = log;
    this.#maxMs = maxMs;
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#file = file ?? new URL(`./expression-thread.${extension}`, import.meta.url);
  }

  evaluate(evaluation: Evaluation): Promise<EvaluationAnswer> {
    if (this.#stopped) return Promise.reject(shuttingDown());
    return new Promise((resolve, reject) => {
      const pending = { evaluation, resolve, reject, tries: 0 };
      if (this.#pending.push(pending) === 1) this.#watch();
      this.#send(pending);
    });
  }

  /** Ends the thread; open evaluations are refused. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#check);
    for (const { reject } of this.#pending.splice(0)) reject(shuttingDown());
    await this.#endThread();
  }

  #send({ evaluation }: Pending): void {
    this.#thread ??= this.#startThread();
    const message = packed(evaluation);
    this.#thread.postMessage(message, [message.bytes.buffer]);
  }

  #startThread(): Worker {
    this.#progress = new Int32Array(new SharedArrayBuffer(4));
    const thread = new Worker(this.#file, { workerData: this.#progress.buffer, resourceLimits, name: 'expressions' });
    thread.unref();
    thread.on('message', (answer: FromThread) => thread === this.#thread && this.#answered(answer));
    thread.on('error', (error) => thread === this.#thread && this.#lost(error));
    thread.on('exit', () => thread === this.#thread && this.#lost('it has ended'));
    return thread;
  }

  #answered(answer: FromThread): void {
    const pending = this.#pending.shift();
    if (this.#pending.length > 0) this.#note();
    else clearInterval(this.#check);
    if ('error' in answer) pending?.reject(new Error(answer.error));
    else pending?.resolve(answer);
  }

  #watch(): void {
    this.#note();
    clearInterval(this.#check);
    this.#check = setInterval(() => this.#restartStuck(), Math.min(CHECK_EVERY_MS, this.#maxMs)).unref();
  }

  #note(): void {
    this.#seen = { progress: Atomics.load(this.#progress, 0), at: performance.now() };
  }

  #restartStuck(): void {
    const { progress, at } = this.#seen;
    const maxMs = progress === 0 ? MAX_START_MS : this.#maxMs;
    if (Atomics.load(this.#progress, 0) !== progress) this.#note();
    else if (performance.now() - at > maxMs) this.#lost(`it took longer than ${maxMs} ms`);
  }

  /** The thread has ended, or must end. The evaluations in which it was are tried again, and then given up. */
  #lost(error: unknown): void {
    void this.#endThread();
    const [first] = this.#pending;
    if (!first) return;
    first.tries++;
    this.#log.warn({ error: String(error), tries: first.tries }, 'replaces the thread that evaluates expressions');
    if (first.tries >= MAX_TRIES) {
      this.#pending.shift();
      first.resolve(this.#givenUp(first.evaluation));
    }
    if (this.#pending.length > 0) this.#watch();
    else clearInterval(this.#check);
    for (const pending of this.#pending) this.#send(pending);
  }

  #givenUp({ own }: Evaluation): EvaluationAnswer {
    const problem = `it took longer than ${this.#maxMs} ms to evaluate, or too much memory, ${MAX_TRIES} times`;
    return { results: own.map(() => ({ problem, isCost: true })), steps: 0 };
  }

  async #endThread(): Promise<void> {
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}

function shuttingDown(): EngineError {
  return new EngineError('SHUTTING_DOWN', 'the replica is shutting down; try again');
}
