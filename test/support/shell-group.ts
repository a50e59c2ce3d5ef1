/** Runs a script in a shell whose processes end with it, also those that it left in the background. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface GroupOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** After so long all of them are killed. */
  readonly timeoutMs: number;
}

/**
 * What it prints on stdout, whatever its exit code.
 *
 * @throws Error when the time is over.
 */
export async function runInGroup(script: string, { cwd, env, timeoutMs }: GroupOptions): Promise<string> {
  // A group of its own has the number of the shell.
  const shell = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const killGroup = () => {
    try {
      process.kill(-(shell.pid ?? 0), 'SIGKILL');
    } catch {
      // None is left.
    }
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup();
  }, timeoutMs);
  process.once('exit', killGroup);
  let printed = '';
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
  });
  // What is left behind may hold its output open.
  shell.once('exit', killGroup);
  try {
    await once(shell, 'close');
  } finally {
    clearTimeout(timer);
    process.off('exit', killGroup);
  }
  if (isLate) throw new Error(`the shell was killed after ${timeoutMs} ms; it had printed: ${printed}`);
  return printed;
}
