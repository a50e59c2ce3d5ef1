/** Runs a script in a shell. All its processes end with it, including background ones. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface GroupOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** All processes are killed after this time. */
  readonly timeoutMs: number;
}

/**
 * Returns the output on stdout, whatever the exit code.
 *
 * @throws Error at the timeout.
 */
export async function runInGroup(script: string, { cwd, env, timeoutMs }: GroupOptions): Promise<string> {
  // The process group has the pid of the shell.
  const shell = spawn('sh', ['-c', script], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const killGroup = () => {
    try {
      process.kill(-(shell.pid ?? 0), 'SIGKILL');
    } catch {
      // No process is left.
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
  // Background processes may keep the output open.
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
