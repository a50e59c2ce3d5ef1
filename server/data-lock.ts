/**
 * Prevents a second control plane on an embedded data folder. The kernel holds the lock, which SQLite takes on an empty
 * file, and releases it however the process ends. So it also excludes a process in another container, whose process
 * id may be the same.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const LOCK = 'lock';
const SQLITE_BUSY = 5;
/** `ownerOf` holds the lock for a moment, too. */
const WAIT_MS = 1_000;

/** Locks of this process. A lock that nothing refers to is collected as garbage, and is free then. */
const locks = new Set<DatabaseSync>();

/** Undefined: another process has the lock. */
function tryLock(folder: string, waitMs: number): DatabaseSync | undefined {
  // No other code of this process may open the file: the kernel drops the lock when any handle of it is closed.
  const file = new DatabaseSync(join(folder, LOCK), { timeout: waitMs });
  try {
    file.exec('BEGIN EXCLUSIVE');
    return file;
  } catch (error) {
    file.close();
    if ((error as { readonly errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    return undefined;
  }
}

const ownerFile = (folder: string) => join(folder, 'lock-owner');

/** `process 12`, with the host if that is another one. Only for messages. */
function nameOwner(folder: string): string {
  try {
    const [pid, host] = readFileSync(ownerFile(folder), 'utf8').trim().split(' ');
    return host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
  } catch {
    return 'another process';
  }
}

/** The process that holds the lock of an existing folder, such as `process 12`; undefined if none does. */
export function ownerOf(folder: string): string | undefined {
  // Opening it would create it.
  if (!existsSync(join(folder, LOCK))) return undefined;
  const free = tryLock(folder, 0);
  free?.close();
  return free ? undefined : nameOwner(folder);
}

/**
 * Takes the lock and returns a function that releases it.
 *
 * @throws Error that names the process which holds it.
 */
export function lockDataFolder(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = tryLock(folder, WAIT_MS);
  if (!lock)
    throw new Error(`${folder} is in use by ${nameOwner(folder)}: stop it, or choose another folder with --data`);
  writeFileSync(ownerFile(folder), `${process.pid} ${hostname()}\n`, { mode: 0o600 });
  locks.add(lock);
  return () => {
    locks.delete(lock);
    lock.close();
  };
}
