/**
 * Searches for planted bugs in a child process that serves many searches; a bug that ends or hangs it costs that
 * process alone.
 */
import { type ChildProcess, fork } from 'node:child_process';
import type { Found, Message, Order } from './search.ts';

/** Searches per process: each leaves some 40 MB behind. */
export const MAX_SEARCHES = 16;

/** Maximum silence of the process: far more than a seed takes with low priority on a busy machine. */
export const SILENCE_MS = 20 * 60_000;

/** Each bug has modules of its own, so a cache of their code would grow with each. */
const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };

export class Searcher {
  readonly #script: string;
  #child: ChildProcess | undefined;
  #searches = 0;

  constructor(script: string) {
    this.#script = script;
  }

  /** One search at a time. @throws Error if the process ends, hangs or fails: the next search gets a new one. */
  async search(order: Order): Promise<Found> {
    if (this.#searches === MAX_SEARCHES || !this.#child?.connected) this.stop();
    this.#child ??= fork(this.#script, { execArgv: [], env });
    this.#searches++;
    try {
      return await this.#answer(this.#child, order);
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
    this.#searches = 0;
  }

  #answer(child: ChildProcess, order: Order): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>();
    const hangs = () => reject(new Error(`nothing came for ${SILENCE_MS} ms`));
    let timer = setTimeout(hangs, SILENCE_MS);
    const onExit = (code: number | null, signal: string | null) =>
      reject(new Error(`its process ended: ${signal ?? code}`));
    const onMessage = (message: Message) => {
      clearTimeout(timer);
      if ('tried' in message) timer = setTimeout(hangs, SILENCE_MS);
      else if ('found' in message) resolve(message.found);
      else reject(new Error(message.error));
    };
    child.on('message', onMessage).once('exit', onExit).send(order);
    return promise.finally(() => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit);
    });
  }
}
