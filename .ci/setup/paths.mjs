// Paths: the checkout, its tools folder, and the PATH of a command.

import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const tools = join(root, '.tools');
export const toolsBin = join(tools, 'bin');

/** The environment for the command: our tools first, and the Node that runs this script before any other. */
export function commandEnvironment() {
  const first = [toolsBin, join(tools, 'venv', 'bin'), join(root, 'node_modules', '.bin'), dirname(process.execPath)];
  return { ...process.env, PATH: [...first, process.env.PATH ?? ''].join(delimiter) };
}

/** The full path of an executable on the PATH, or undefined. */
export function findOnPath(name, path = process.env.PATH ?? '') {
  for (const folder of path.split(delimiter)) {
    const candidate = join(folder, name);
    if (folder !== '' && isExecutable(candidate)) return candidate;
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or in a folder that is not ours to read
  }
}

/** The version that a stamp records, or '' if there is none. */
export function readStamp(name) {
  const path = join(tools, 'stamps', name);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

export function writeStamp(name, content) {
  mkdirSync(join(tools, 'stamps'), { recursive: true });
  writeFileSync(join(tools, 'stamps', name), content);
}
