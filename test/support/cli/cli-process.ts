/** The process object that a test gives to a command: its own streams, signals and exit code in the test's process. */
import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import type { CommandProcess, StopSignal } from '../../../server/cli/command-process.ts';
import { main } from '../../../server/cli/main.ts';

/** Keeps its output. It is no terminal, because `isTTY` is not set. */
class Written extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

export interface CommandSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly stdin: string | Uint8Array;
}

export class TestProcess extends EventEmitter<Record<StopSignal, [StopSignal]>> implements CommandProcess {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: AsyncIterable<Buffer>;
  readonly stdout = new Written();
  readonly stderr = new Written();
  exitCode?: number | string | null | undefined;
  readonly #cwd: string;
  readonly #exit = Promise.withResolvers<number>();

  constructor(args: readonly string[], { env, cwd, stdin }: CommandSettings) {
    super();
    this.argv = ['node', 'muster', ...args];
    this.env = env;
    this.#cwd = cwd;
    this.stdin = Readable.from([Buffer.from(stdin)]);
  }

  cwd(): string {
    return this.#cwd;
  }

  exit(code: number): void {
    this.#exit.resolve(code);
  }

  /** Runs the command to its end. @throws Error when the command leaves a listener behind */
  async run(): Promise<number> {
    const code = await Promise.race([main(this).then(() => Number(this.exitCode ?? 0)), this.#exit.promise]);
    const left = this.eventNames();
    if (left.length > 0) throw new Error(`muster ${this.argv.slice(2).join(' ')} still listens to ${left}`);
    return code;
  }
}
