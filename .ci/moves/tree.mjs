// The files of the checkout and of a commit.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

const git = (args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 30 });
const asText = (bytes) => (bytes.includes(0) ? bytes.toString('latin1') : bytes.toString('utf8'));

/** Texts by path, of what is in the checkout. */
export function checkout() {
  const paths = git(['ls-files', '-co', '--exclude-standard', '-z']).split('\0').filter(Boolean);
  const files = [...new Set(paths)].filter((path) => existsSync(join(root, path)));
  return new Map(files.sort().map((path) => [path, asText(readFileSync(join(root, path)))]));
}

/** Texts by path, of a commit. */
export function commit(id) {
  const entries = git(['ls-tree', '-r', '-z', id]).split('\0').filter(Boolean);
  const blobs = entries.map((entry) => /^\d+ (\w+) (\w+)\t(.*)$/s.exec(entry)).filter(([, type]) => type === 'blob');
  const output = execFileSync('git', ['cat-file', '--batch'], {
    cwd: root,
    maxBuffer: 2 ** 30,
    input: blobs.map(([, , blob]) => `${blob}\n`).join(''),
  });
  let at = 0;
  const files = blobs.map(([, , , path]) => {
    const end = output.indexOf('\n', at);
    const size = Number(output.subarray(at, end).toString().split(' ')[2]);
    at = end + 1 + size + 1;
    return [path, asText(output.subarray(end + 1, end + 1 + size))];
  });
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
}
