// The npm packages of package-lock.json.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStamp, root, writeStamp } from './paths.mjs';
import { run } from './run.mjs';
import { say } from './say.mjs';

const INSTALL_SECONDS = 900;
const lockFile = join(root, 'package-lock.json');
// npm records the contents of node_modules here.
const installedFile = join(root, 'node_modules', '.package-lock.json');

export const nodeModules = {
  isReady() {
    if (!existsSync(installedFile)) return false;
    const lock = readFileSync(lockFile);
    return readStamp('npm') === digest(lock) || isInstalled(lock);
  },

  async bring() {
    say('installing the npm packages (npm ci)');
    writeStamp('npm', ''); // until it is done: a half-filled node_modules must not look finished
    await npm(['ci', '--include=dev', '--include=optional'], INSTALL_SECONDS);
    writeStamp('npm', digest(readFileSync(lockFile)));
  },
};

/** Runs the npm on the PATH, without the path variables that an npm around this script has set. */
export function npm(args, seconds) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const env = { npm_config_prefix: undefined, npm_config_local_prefix: undefined, npm_config_global_prefix: undefined };
  return run('npm', [...args, ...options], { seconds, env });
}

function digest(content) {
  return createHash('sha256').update(content).digest('hex');
}

/** Whether node_modules already matches the lock, also if something else filled it (such as `npm install`). */
function isInstalled(lock) {
  const { '': _, ...wanted } = JSON.parse(lock.toString()).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  // A workspace is a link, and has no integrity.
  const isSame = ([path]) =>
    path in installed && path in wanted && installed[path].integrity === wanted[path].integrity;
  const needed = Object.entries(wanted).filter(([, entry]) => isForThisMachine(entry));
  return needed.every(isSame) && Object.entries(installed).every(isSame);
}

/**
 * Whether npm always installs the entry on this machine. An optional package counts only if it names this platform and no
 * libc: others may be builds for another libc, or dependencies of another platform's build.
 */
function isForThisMachine({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return os?.includes(process.platform) === true && cpu?.includes(process.arch) === true && libc === undefined;
}
