/**
 * Processes of a run: each leads a process group of its own, so that everything that it starts can be found and ended
 * too.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { dieWithParent } from '../../../server/bus/server-binary.ts';
import { root } from '../../support/base/checkout.ts';
import { eventually } from '../../support/base/eventually.ts';

const KEPT_LINES = 4_000;
/** Ends the children if the run itself is killed. */
const prefix = await dieWithParent();

const children = new Set<Child>();
/** Ends the children if the run is aborted. */
process.on('exit', () => {
  for (const child of children) child.signalGroup('SIGKILL');
});

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Default: this checkout. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each line of the standard output. */
  readonly onLine?: (line: string) => void;
}

export class Child {
  readonly name: string;
  readonly pid: number;
  /** Resolves with the exit code or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Lines of both outputs, the newest 4,000. */
  readonly lines: string[] = [];
  readonly #process: ChildProcess;

  constructor({ name, command, args, folder = root, env, onLine }: ChildOptions) {
    this.name = name;
    const [first = command, ...words] = [...prefix, command, ...args];
    this.#process = spawn(first, words, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { ...process.env, ...env },
    });
    if (this.#process.pid === undefined) throw new Error(`${command} can not be started`);
    this.pid = this.#process.pid;
    children.add(this);
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      createInterface({ input: stream as NodeJS.ReadableStream }).on('line', (line) => {
        if (this.lines.push(line) > KEPT_LINES) this.lines.shift();
        if (stream === this.#process.stdout) onLine?.(line);
      });
    }
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ?? code ?? 0));
    });
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive) this.#process.kill(signal);
  }

  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // It has exited.
    }
  }

  /** SIGKILL to this process alone: its children have to notice by themselves. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Asks it to end, and waits for that. */
  async stop(timeoutMs: number): Promise<void> {
    this.signal('SIGTERM');
    await eventually(`${this.name} has ended`, () => !this.alive, { timeoutMs, everyMs: 20 });
  }

  /** Pids of its live child processes. */
  group(): number[] {
    return groupOf(this.pid);
  }
}

/** Live processes of everything started here: must be empty at the end. */
export function survivors(): string[] {
  return [...children].flatMap((child) => child.group().map((pid) => `${child.name} (${pid})`));
}

/** Forgets the children of an ended run, so that the next one counts its own. */
export function forgetChildren(): void {
  for (const child of children) child.signalGroup('SIGKILL');
  children.clear();
}

/** Live members of a process group; a zombie is none. */
function groupOf(leader: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== undefined && stat.group === leader && stat.state !== 'Z';
    });
}

function statOf(pid: number): { state: string; group: number } | undefined {
  try {
    const [state = '', , group] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state, group: Number(group) };
  } catch {
    return undefined;
  }
}
