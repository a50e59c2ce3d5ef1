/** Starts the process of one attempt, in a session of its own, and known to the guardian before it runs anything. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { CommandSpec } from './command-spec.ts';
import { closePipe, openPipes } from './fifo.ts';
import { type JobFolder, openInput } from './job-folder.ts';
import type { ProcessEnd } from './outcome.ts';

/**
 * A shell that becomes the command. Its first word names it to the guardian, so that there is no moment in which it runs unseen.
 * A limit that can't be set is above the one in force, which then holds.
 */
const SCRIPT = 'echo "+ $$" >&4 && exec 4>&- && { ulimit -n "$1" 2>/dev/null || :; } && shift && exec "$@"';

export interface LaunchedProcess {
  /** Number of its session, of its group, and of itself. */
  readonly session: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** What it writes to descriptor 3. */
  readonly messages: Socket;
  readonly ended: Promise<ProcessEnd>;
}

/** @throws Error of the system when there is no room for one more process, descriptor or file. */
export async function launch(
  { command, directory, openFiles }: CommandSpec,
  folder: JobFolder,
  env: Record<string, string>,
  guardian: number,
): Promise<LaunchedProcess> {
  const input = await openInput(folder);
  try {
    const pipes = await openPipes(folder.path, ['stdout', 'stderr', 'messages']);
    const ends = pipes.map(({ write }) => write);
    const words = command.map((word, at) => (at === 0 ? word : word.replaceAll('{input}', folder.inputFile)));
    try {
      const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', String(openFiles), ...words], {
        cwd: directory,
        env,
        detached: true,
        stdio: [input.fd, ...ends, guardian],
      });
      const ended = endOf(child);
      await started(child);
      for (const end of ends) closeSync(end);
      const [stdout, stderr, messages] = pipes.map(({ read }) => reader(read)) as [Socket, Socket, Socket];
      return { session: child.pid as number, stdout, stderr, messages, ended };
    } catch (error) {
      for (const pipe of pipes) closePipe(pipe);
      throw error;
    }
  } finally {
    await input.close();
  }
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject));
}

function endOf(child: ChildProcess): Promise<ProcessEnd> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
}

function reader(fd: number): Socket {
  // What goes wrong with reading ends it, like the end of what is written.
  return new Socket({ fd, readable: true, writable: false }).on('error', () => {});
}
