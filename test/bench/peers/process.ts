/** A process of a peer: requests on its stdin, replies and events on its stdout, one JSON object per line. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { PeerEvent, ProducerReplies, ProducerRequest, Reply } from './contract.ts';

/** How to start a process of a peer. Role, URL and queues follow as arguments. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Maximum times to be ready, to answer, and to end, in milliseconds. Only a hanging process takes so long. */
const READY_MS = 60_000;
const ANSWER_MS = 120_000;
const END_MS = 10_000;
const KEPT_ERRORS = 4_000;

/** Rejects with `what` unless `work` ends in time. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Running process groups. They are killed when this process exits, for whatever reason. */
const groups = new Set<number>();
process.once('exit', () => {
  for (const group of groups) signalGroup(group, 'SIGKILL');
});

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It is gone.
  }
}

export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #listeners = new Set<(event: PeerEvent) => void>();
  readonly #ended: Promise<void>;
  #requests = 0;
  #errors = '';

  constructor(name: string, command: Command, args: readonly string[]) {
    this.#name = `${name} ${args[0]}`;
    this.#child = spawn(command.program, [...command.args, ...args], {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group, so that child processes of a worker are killed with it.
      detached: true,
    });
    if (this.#child.pid !== undefined) groups.add(this.#child.pid);
    const { stdin, stdout, stderr } = this.#child;
    stdin?.on('error', () => {}); // it has ended, and `exit` reports that
    stderr?.on('data', (text) => {
      this.#errors = (this.#errors + text).slice(-KEPT_ERRORS);
    });
    createInterface({ input: stdout as NodeJS.ReadableStream }).on('line', (line) => this.#onMessage(line));
    this.#ended = once(this.#child, 'exit').then(
      () => this.#fail('it ended'),
      (error) => this.#fail(String(error)),
    );
  }

  /** Resolves once the process is ready; rejects with what it wrote to stderr when it ends before. */
  async ready(): Promise<this> {
    const ready = new Promise<void>((resolve) => this.on((event) => event.event === 'ready' && resolve()));
    const failed = this.#ended.then(() => Promise.reject(new Error(`${this.#name} ended: ${this.#errors}`)));
    await within(READY_MS, `${this.#name}: start (${this.#errors})`, Promise.race([ready, failed]));
    return this;
  }

  /** Resolves once the process has ended by itself; rejects unless with code 0. */
  async done(): Promise<void> {
    await within(READY_MS, this.#name, this.#ended);
    if (this.#child.exitCode !== 0) throw new Error(`${this.#name} failed: ${this.#errors}`);
  }

  /** Calls the listener with each event. Returns a function that removes it. */
  on(listener: (event: PeerEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async ask<R extends ProducerRequest>(request: R): Promise<ProducerReplies[R['do']]> {
    const id = ++this.#requests;
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
    const reply = await within(ANSWER_MS, `${this.#name}: ${request.do}`, answered);
    if (reply.error !== undefined) throw new Error(`${this.#name}: ${request.do}: ${reply.error}`);
    return reply.ok as ProducerReplies[R['do']];
  }

  /** Kills the process without a warning, like a machine that fails. */
  async kill(): Promise<void> {
    this.#killGroup();
    await this.#ended;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await within(END_MS, `${this.#name}: end`, this.#ended).catch(() => this.kill());
    this.#killGroup(); // processes that are left in its group
  }

  #killGroup(): void {
    if (this.#child.pid === undefined) return;
    signalGroup(this.#child.pid, 'SIGKILL');
    groups.delete(this.#child.pid);
  }

  #onMessage(line: string): void {
    if (!line.startsWith('{')) return; // output of a library
    const message = JSON.parse(line) as Reply | PeerEvent;
    if ('event' in message) for (const listener of this.#listeners) listener(message);
    else {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }

  #fail(reason: string): void {
    for (const [id, answer] of this.#waiting) answer({ id, error: `${reason}: ${this.#errors}` });
    this.#waiting.clear();
  }
}
