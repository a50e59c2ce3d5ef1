/** The demo's processes: not reached by the terminal's Ctrl-C, watched, killed, and never left behind. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

const KEPT_OUTPUT = 4_000;
const ENDED_WELL = 'ended with code 0';

/** A program to start. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the variables of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the working directory of this process. */
  readonly cwd?: string;
  /** Shown when the program ends unexpectedly. */
  readonly hint?: string;
}

export class DemoProcess {
  readonly name: string;
  /** Rejects with its last output when the process ends without being asked to; otherwise pends. */
  readonly failed: Promise<never>;
  readonly #hint: string | undefined;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<string>;
  readonly #exited: Promise<unknown>;
  readonly #listeners = new Set<() => void>();
  #output = '';
  #reported = false;

  /** Starts the process in its own group: Ctrl-C reaches only the demo, which then ends everything in order. */
  constructor(name: string, program: Program) {
    const { command, args, cwd } = program;
    this.name = name;
    this.#hint = program.hint;
    const env = { ...process.env, ...program.env };
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env, cwd });
    this.#exited = once(this.#child, 'exit').catch(() => {});
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(`can't be started: ${error.message}`));
      this.#child.once('close', (code, signal) =>
        resolve(signal ? `was ended by ${signal}` : `ended with code ${code}`),
      );
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => this.#keep(text));
    }
    this.failed = this.#closed.then((how) => this.#fail(how));
    this.failed.catch(() => {}); // avoids an unhandled rejection; callers that await it still get the error
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Its output so far. */
  get output(): string {
    return this.#output;
  }

  /** Calls `listener` with all output so far whenever there is more. */
  onOutput(listener: (output: string) => void): void {
    this.#listeners.add(() => listener(this.#output));
  }

  /** Resolves once the process has succeeded. Rejects with its last output when it has failed. */
  async succeeded(): Promise<void> {
    const how = await this.#closed;
    if (how !== ENDED_WELL) throw this.#error(how);
  }

  /** Resolves with the first match in its output. Rejects when the process ends first, or when `signal` is aborted. */
  printed(pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray> {
    const found = new Promise<RegExpExecArray>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      const poll = () => {
        const match = pattern.exec(this.#output);
        if (match === null) return;
        this.#listeners.delete(poll);
        resolve(match);
      };
      this.#listeners.add(poll);
      poll();
    });
    return Promise.race([found, this.failed]);
  }

  /** Sends SIGKILL to this process only: its children must notice by themselves. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.#reported = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Sends SIGSTOP to this process only. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  /** Sends SIGCONT. */
  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Sends SIGTERM, and after `graceMs` SIGKILL to it and all its children. Resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#reported = true;
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.destroy(), graceMs);
    await this.#closed;
    clearTimeout(timer);
  }

  /** Sends SIGKILL to it and all its children. */
  destroy(): void {
    this.#reported = true;
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    for (const listener of this.#listeners) listener();
  }

  #fail(how: string): Promise<never> {
    if (this.#reported) return new Promise(() => {});
    throw this.#error(how);
  }

  #error(how: string): Error {
    const words = this.#output.trimEnd();
    const hint = this.#hint === undefined ? '' : `\n${this.#hint}`;
    return new Error(`the ${this.name} ${how}${words && `; its last output:\n${words}`}${hint}`);
  }
}
