/** Ends the nats-server that a killed control plane has left behind. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Log } from '../engine/ports/ports.ts';
import { readPid, removeTraces, type ServerFiles } from './server-files.ts';

const run = promisify(execFile);
const graceMs = 3_000;
const pollMs = 10;

/**
 * Ends a nats-server that runs the configuration in this folder, but never another process, whatever the pid file says.
 * The caller holds the lock of the data folder, so nobody else uses that server.
 *
 * @throws Error if it does not end.
 */
export async function endOrphan(files: ServerFiles, log: Log): Promise<void> {
  const pid = await readPid(files);
  if (pid !== undefined && (await runsConfig(pid, files.config))) {
    log.warn({ pid }, 'ending the nats-server that an earlier run left behind');
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      process.kill(pid, signal);
      if (await isGone(pid, files.config)) break;
    }
    if (await runsConfig(pid, files.config)) throw new Error(`nats-server of an earlier run (pid ${pid}) does not end`);
  }
  await removeTraces(files);
}

async function isGone(pid: number, config: string): Promise<boolean> {
  const deadline = performance.now() + graceMs;
  while (await runsConfig(pid, config)) {
    if (performance.now() > deadline) return false;
    await delay(pollMs);
  }
  return true;
}

/** Whether the process was started as `… -c <config>`. A zombie process has no arguments. */
async function runsConfig(pid: number, config: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    return words.some((word, index) => word === '-c' && words[index + 1] === config);
  }
  const { stdout } = await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trimEnd().endsWith(` -c ${config}`);
}
