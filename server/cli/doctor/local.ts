/** Checks of this machine: its Node, and the data folder of an embedded deployment. */
import { existsSync, statfsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ownerOf } from '../../data-lock.ts';
import { type Finding, finding } from './finding.ts';

const NEEDED_MAJOR = 24;
const SPARE_BYTES = 1 << 30;
const MIN_BYTES = 100 << 20;

export function checkNode(version = process.versions.node): Finding {
  if (Number.parseInt(version, 10) >= NEEDED_MAJOR) return finding('node', 'OK', `Node ${version}`);
  return finding('node', 'ERROR', `Node ${version} is too old`, `install Node ${NEEDED_MAJOR} or later`);
}

/** @param folder Its path; a missing folder is a problem only if the user named it. */
export function checkDataFolder(folder: string, named: boolean): Finding[] {
  const path = resolve(folder);
  if (!existsSync(join(path, 'postgres', 'PG_VERSION'))) {
    if (!named) return [];
    return [
      finding('data folder', 'ERROR', `${path} holds no embedded deployment`, 'muster start --data FOLDER creates one'),
    ];
  }
  return [checkOwner(path), checkMode(path), checkSpace(path)];
}

function checkOwner(path: string): Finding {
  const owner = ownerOf(path);
  if (owner === undefined) return finding('data folder', 'OK', `${path} is not in use`);
  return finding('data folder', 'OK', `${path} is in use by ${owner}`);
}

function checkMode(path: string): Finding {
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) === 0) return finding('data folder', 'OK', 'only its owner can read it');
  return finding(
    'data folder',
    'WARNING',
    `${path} can be read by others (mode ${mode.toString(8)}): it holds payloads, and keys of the bus`,
    `chmod 700 ${path}`,
  );
}

function checkSpace(path: string): Finding {
  const { bavail, bsize } = statfsSync(path);
  const mib = Math.floor((bavail * bsize) / (1 << 20));
  const level = mib * (1 << 20) < MIN_BYTES ? 'ERROR' : mib * (1 << 20) < SPARE_BYTES ? 'WARNING' : 'OK';
  const next = level === 'OK' ? '' : 'free disk space: a full database accepts no jobs';
  return finding('disk', level, `${mib.toLocaleString('en-US')} MiB free for ${path}`, next);
}
