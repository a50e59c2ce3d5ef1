/** Pipes between this process and others. Node's own would be sockets, which commands can't open as /dev/stderr. */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Descriptors of both ends. The caller closes them. */
export interface Pipe {
  /** Does not block. */
  readonly read: number;
  readonly write: number;
}

/** Opens a pipe per name. The names exist in the folder only for a moment. */
export async function openPipes(folder: string, names: readonly string[]): Promise<Pipe[]> {
  const paths = names.map((name) => join(folder, name));
  await promisify(execFile)('mkfifo', ['-m', '600', '--', ...paths]);
  const pipes: Pipe[] = [];
  try {
    for (const path of paths) pipes.push(openPipe(path));
    return pipes;
  } catch (error) {
    for (const pipe of pipes) closePipe(pipe);
    throw error;
  }
}

export function closePipe({ read, write }: Pipe): void {
  closeSync(read);
  closeSync(write);
}

/** Opens the reading end first: without it, opening the other end would block. */
function openPipe(path: string): Pipe {
  const read = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { read, write: openSync(path, 'w') };
  } catch (error) {
    closeSync(read);
    throw error;
  } finally {
    unlinkSync(path);
  }
}
