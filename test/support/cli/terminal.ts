/** A real terminal: tmux with a shell that has the `muster` command. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../base/eventually.ts';
import { cliEnvironment, musterBinary } from './cli.ts';

const run = promisify(execFile);
const PROMPT = 'ready>';
/** Each poll is a separate process, and the machine may be busy. */
const POLLING = { timeoutMs: 90_000, everyMs: 25 };

export interface TerminalSettings {
  readonly width: number;
  readonly height?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export class Terminal {
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(folder: string, env: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#env = env;
  }

  /** Opens a terminal. Needs tmux, which `npm test` installs when it is missing. */
  static async open({ width, height = 30, env = {} }: TerminalSettings): Promise<Terminal> {
    const folder = await mkdtemp(join(tmpdir(), 'muster-tmux-'));
    const terminal = new Terminal(folder, {
      ...cliEnvironment(env),
      PS1: PROMPT,
      TERM: 'screen-256color',
      LC_ALL: 'C.UTF-8',
    });
    try {
      await terminal.#tmux('new-session', '-d', '-x', String(width), '-y', String(height), `PS1='${PROMPT}' exec sh`);
      await eventually('the shell is there', async () => (await terminal.screen()).includes(PROMPT), POLLING);
      await terminal.enter(`muster() { '${process.execPath}' '${musterBinary}' "$@"; }; clear`);
      await terminal.prompt();
      return terminal;
    } catch (error) {
      await terminal.close();
      throw error;
    }
  }

  /** Types a line and the return key. */
  async enter(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line);
    await this.#tmux('send-keys', 'Enter');
  }

  /** Presses a key, such as `C-c`. */
  async press(key: string): Promise<void> {
    await this.#tmux('send-keys', key);
  }

  /** Empties screen and history. */
  async clear(): Promise<void> {
    await this.enter('clear');
    await this.prompt();
    await this.#tmux('clear-history');
  }

  /** The visible text and the scrollback, with styles on request. */
  async screen(styles = false): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-S', '-', ...(styles ? ['-e'] : []))).trimEnd();
  }

  /** Resolves with the screen once it shows the text. */
  shows(text: string | RegExp): Promise<string> {
    return eventually(
      `the terminal shows ${text}`,
      async () => {
        const screen = await this.screen();
        return (typeof text === 'string' ? screen.includes(text) : text.test(screen)) && screen;
      },
      POLLING,
    );
  }

  /** Resolves with the screen once the shell waits for the next command on an otherwise empty screen. */
  prompt(): Promise<string> {
    return eventually(
      'the shell waits',
      async () => {
        const screen = await this.screen();
        return screen.endsWith(PROMPT) && screen;
      },
      POLLING,
    );
  }

  /** Runs a command to its end on an empty screen. Returns its output by lines, and its exit code. */
  async run(command: string): Promise<{ lines: string[]; code: number }> {
    await this.clear();
    await this.enter(`${command}; echo "exit code $?"`);
    return this.finished();
  }

  /**
   * The lines of the last entered command once it has ended, at full width. The command must end in
   * `; echo "exit code $?"`.
   */
  async finished(): Promise<{ lines: string[]; code: number }> {
    await this.shows(/^exit code \d+$/m);
    // Joins lines that the terminal has wrapped, such as the typed command.
    const lines = (await this.#tmux('capture-pane', '-p', '-J', '-S', '-')).split('\n').map((line) => line.trimEnd());
    const end = lines.findIndex((line) => /^exit code \d+$/.test(line));
    const begin = lines.findLastIndex((line, at) => at < end && line.startsWith(PROMPT));
    return { lines: lines.slice(begin + 1, end), code: Number(lines[end]?.slice('exit code '.length)) };
  }

  /** Whether the cursor and line wrap are in the state that a shell needs. */
  async isSane(): Promise<boolean> {
    return (await this.#tmux('display-message', '-p', '#{cursor_flag}#{wrap_flag}')).trim() === '11';
  }

  async close(): Promise<void> {
    await this.#tmux('kill-server').catch(() => {}); // not running
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #tmux(...args: string[]): Promise<string> {
    const socket = join(this.#folder, 'socket');
    try {
      return (await run('tmux', ['-f', '/dev/null', '-S', socket, ...args], { env: this.#env })).stdout;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new Error('there is no tmux on the PATH; run the tests with npm test, which brings one', { cause: error });
    }
  }
}
