/**
 * Prevents a second control plane on an embedded data folder: a lock file with the process id and the machine's boot
 * id.
 */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

interface Owner {
  readonly pid: number;
  readonly bootId: string;
}

/** Process ids start again with each boot, so an id alone could name another process. */
function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function isAlive(owner: Owner): boolean {
  if (owner.bootId !== bootId() || owner.pid === process.pid) return false;
  try {
    process.kill(owner.pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function readOwner(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** The process that holds the lock; undefined if none does. */
export function ownerOf(folder: string): number | undefined {
  const owner = readOwner(join(folder, 'lock'));
  return owner && isAlive(owner) ? owner.pid : undefined;
}

/**
 * Takes the lock and returns a function that releases it.
 *
 * @throws Error that names the process which holds it.
 */
export function lockDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'lock');
  const owner = readOwner(file);
  if (owner && isAlive(owner)) {
    throw new Error(`${folder} is in use by process ${owner.pid}: stop it, or choose another folder with --data`);
  }
  rmSync(file, { force: true });
  // Fails if another process was faster.
  const handle = openSync(file, 'wx', 0o600);
  writeSync(handle, JSON.stringify({ pid: process.pid, bootId: bootId() } satisfies Owner));
  closeSync(handle);
  return () => rmSync(file, { force: true });
}
