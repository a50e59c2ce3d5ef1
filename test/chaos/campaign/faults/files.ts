/** A replica that may open few files. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { findOnPath } from '../../../../workers/demo-polyglot/toolchains.ts';
import { eventually } from '../../../support/base/eventually.ts';
import { type Fault, require } from './fault.ts';

const MAX_FILES = 256;
/** Open files that count as all: one or two are free for a moment now and then. */
const FULL_FILES = 250;
const SOCKETS = 400;

const filesShort: Fault = {
  name: `replica with ${MAX_FILES} open files, all in use for a lease`,
  lack: () => (findOnPath('prlimit') ? undefined : 'there is no prlimit on the PATH'),
  async inflict({ run, dice }) {
    const { pid, proxy } = dice.pick(run.deployment.replicas);
    if (pid === undefined || typeof proxy.target !== 'number') throw new Error('the replica does not run');
    const before = softLimitOf(pid);
    const sockets: Socket[] = [];
    limitFiles(pid, String(MAX_FILES));
    try {
      for (let n = 0; n < SOCKETS; n++) sockets.push(connect({ host: '127.0.0.1', port: proxy.target }));
      for (const socket of sockets) socket.on('error', () => {});
      await eventually('all its files are in use', () => filesOf(pid) >= FULL_FILES);
      const files = filesOf(pid);
      await Promise.all([delay(run.deployment.leaseMs), run.progress(10)]);
      return require(files >= FULL_FILES, `${files} open files of ${MAX_FILES}`);
    } finally {
      for (const socket of sockets) socket.destroy();
      limitFiles(pid, before);
    }
  },
};

const filesOf = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

function softLimitOf(pid: number): string {
  return /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1] ?? '1024';
}

/** Leaves the hard limit as it is, so that anybody may lift the soft one again. */
function limitFiles(pid: number, soft: string): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`]);
}

export const fileFaults: readonly Fault[] = [filesShort];
