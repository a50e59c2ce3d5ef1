// One set-up at a time in a checkout: a lock file that its holder keeps fresh, so that the lock of a dead holder can be taken
// over. It names the host, the holder, and its child processes: an orphaned `npm ci` must end before the next begins.

import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, utimes, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { tools } from './paths.mjs';
import { onStart, stopRunning } from './run.mjs';
import { say } from './say.mjs';

const lockFile = join(tools, 'set-up.lock');
const takeOverFile = join(tools, 'set-up.take-over');
const FRESHEN_MS = 5_000;
const STALE_MS = 60_000;
const POLL_MS = 200;
const WAIT_LIMIT_MS = 30 * 60_000;

/** Runs `work` while no other set-up works on this checkout; gives up after half an hour of waiting. */
export async function withLock(work) {
  mkdirSync(tools, { recursive: true });
  await acquire();
  onStart((pid) => appendFileSync(lockFile, ` ${pid}`));
  const freshen = setInterval(() => utimes(lockFile, new Date(), new Date(), () => {}), FRESHEN_MS);
  const release = () => {
    clearInterval(freshen);
    process.off('SIGINT', leave).off('SIGTERM', leave).off('SIGHUP', leave);
    rmSync(lockFile, { force: true });
  };
  const leave = (signal) => {
    stopRunning();
    release();
    process.kill(process.pid, signal);
  };
  process.on('SIGINT', leave).on('SIGTERM', leave).on('SIGHUP', leave);
  try {
    await work();
  } finally {
    release();
  }
}

async function acquire() {
  const watch = watchFreshness();
  const deadline = performance.now() + WAIT_LIMIT_MS;
  let announced = false;
  while (!create(lockFile)) {
    if (performance.now() > deadline) throw new Error(`${lockFile} is held for too long; delete it if no set-up runs`);
    const isStale = () => areHoldersDead() || watch() > STALE_MS;
    if (isStale()) takeOver(isStale);
    if (!announced) say('another set-up is at work in this checkout; waiting for it');
    announced = true;
    await delay(POLL_MS);
  }
}

/** Returns a function that returns for how many milliseconds this process has seen the lock unchanged. */
function watchFreshness() {
  let seen;
  let since = performance.now();
  return () => {
    const freshened = modified(lockFile);
    if (freshened !== seen) since = performance.now();
    seen = freshened;
    return performance.now() - since;
  };
}

function create(path) {
  try {
    writeFileSync(path, `${hostname()} ${process.pid}`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead holder's lock. Only one process may do so: a second one would remove the new holder's lock. */
function takeOver(isStale) {
  if (!create(takeOverFile)) {
    if (Date.now() - modified(takeOverFile) > STALE_MS) rmSync(takeOverFile, { force: true });
    return;
  }
  if (isStale()) rmSync(lockFile, { force: true });
  rmSync(takeOverFile, { force: true });
}

/** When the file was last freshened, in milliseconds since 1970; not a number when it is gone. */
function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN;
}

/** Whether holder and programs ran on this host and all have ended. */
function areHoldersDead() {
  const [host, ...pids] = readLock();
  return host === hostname() && !pids.some((pid) => isAlive(Number(pid)));
}

function readLock() {
  try {
    return readFileSync(lockFile, 'utf8').split(' ');
  } catch {
    return [];
  }
}

function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
