/** The process under test, in a process group of its own, and its output. */
import { type ChildProcess, spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const KEPT_CHARACTERS = 8_000;
const SHOWN_LINES = 12;

/** No worker may outlive the kit, whatever happens. */
const alive = new Set<WorkerProcess>();
process.on('exit', () => {
  for (const worker of alive) worker.killAll();
});

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #onEnd: () => void;
  #words = '';
  #startFault: Error | undefined;
  #end: Ended | undefined;

  /** @param onEnd Called when it has ended, or could not be started. */
  constructor(command: readonly string[], env: Readonly<Record<string, string>>, onEnd: () => void) {
    this.#onEnd = onEnd;
    const [program = '', ...args] = command;
    const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
    this.#child = spawn(program, args, { env: { ...process.env, ...env }, stdio, detached: true });
    alive.add(this);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      const decoder = new StringDecoder('utf8');
      stream?.on('data', (bytes: Buffer) => {
        this.#words = (this.#words + decoder.write(bytes)).slice(-KEPT_CHARACTERS);
      });
    }
    this.#child.once('error', (error) => {
      this.#startFault = error;
      this.#over({ code: null, signal: null });
    });
    // Remaining child processes would keep its output open.
    this.#child.once('exit', () => this.killAll());
    this.#child.once('close', (code, signal) => this.#over({ code, signal }));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Why it could not be started. */
  get startFault(): Error | undefined {
    return this.#startFault;
  }

  get ended(): Ended | undefined {
    return this.#end;
  }

  /** The last lines of its stdout and stderr. */
  lastWords(): string[] {
    return this.#words
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(-SHOWN_LINES);
  }

  /** Signals only the process of the command, as a supervisor does. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Signals the process and all its children. */
  signalAll(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group no longer exists.
    }
  }

  killAll(): void {
    this.signalAll('SIGKILL');
  }

  #over(end: Ended): void {
    this.#end ??= end;
    alive.delete(this);
    this.#onEnd();
  }
}

/** As text. */
export function endText({ code, signal }: Ended): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
