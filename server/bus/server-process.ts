/** One run of a nats-server process. */
import { spawn } from 'node:child_process';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';

export interface ServerProcess {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Resolves with the reason when it has ended. Never rejects. */
  readonly ended: Promise<string>;
  /** Its age in milliseconds. */
  age(): number;
  hasEnded(): boolean;
  /** The last 2,000 characters of its log; it holds no secrets. */
  lastWords(): string;
  kill(signal: NodeJS.Signals): void;
}

const keptCharacters = 2_000;

/**
 * Starts the server in a process group of its own: Ctrl-C in a terminal goes to the whole group, and a control plane
 * that shuts down needs its bus until the end.
 *
 * @param prefix Command prefix, such as that of `dieWithParent`.
 */
export function launchServer(prefix: readonly string[], binary: string, config: string): ServerProcess {
  const [command = binary, ...args] = [...prefix, binary, '-c', config];
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const decoder = new StringDecoder('utf8');
  let words = '';
  // Absent if the process could not even get a pipe.
  child.stderr?.on('data', (bytes: Buffer) => {
    words = (words + decoder.write(bytes)).slice(-keptCharacters);
  });
  const startTime = performance.now();
  let endTime: number | undefined;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
  }).finally(() => {
    endTime = performance.now();
  });
  return {
    pid: child.pid,
    ended,
    age: () => (endTime ?? performance.now()) - startTime,
    hasEnded: () => endTime !== undefined,
    lastWords: () => words.trim(),
    kill: (signal) => void child.kill(signal),
  };
}

/** Asks it to end, kills it after `graceMs`, and waits for its exit. */
export async function endServer(server: ServerProcess, graceMs: number): Promise<void> {
  if (server.hasEnded()) return;
  const abort = new AbortController();
  server.kill('SIGTERM');
  const timeUp = delay(graceMs, 'late', { signal: abort.signal }).catch(() => 'ended');
  if ((await Promise.race([server.ended, timeUp])) === 'late') server.kill('SIGKILL');
  await server.ended;
  abort.abort();
}
