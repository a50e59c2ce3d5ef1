/**
 * Starts the process of one attempt in its own session, registered with the guardian before it executes the program.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { CommandSpec } from './command-spec.ts';
import { closePipe, openPipes } from './fifo.ts';
import { type JobFolder, openInput } from './job-folder.ts';
import type { ProcessEnd } from './outcome.ts';

/**
 * A shell that becomes the command. It first registers with the guardian, so that it never runs unregistered. If a
 * limit can't be set, a lower one is in force, which then applies.
 */
const SCRIPT = 'echo "+ $$" >&4 && exec 4>&- && { ulimit -n "$1" 2>/dev/null || :; } && shift && exec "$@"';

export interface LaunchedProcess {
  /** Its session id, which is also its process group and process id. */
  readonly session: number;
  readonly stdout: Socket;
  readonly stderr: Socket;
  /** The output on descriptor 3. */
  readonly messages: Socket;
  readonly ended: Promise<ProcessEnd>;
}

/** @throws Error of the system when it lacks resources for another process, descriptor or file. */
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
  // A read error ends the stream, like the end of the output.
  return new Socket({ fd, readable: true, writable: false }).on('error', () => {});
}
