/** The lock file matches package.json; otherwise `npm ci` refuses a fresh clone. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
const lock = readJson('package-lock.json').packages;

describe('the lock file', () => {
  it.each([
    ['package.json', ''],
    ['sdk/typescript/package.json', 'sdk/typescript'],
  ])('matches %s', (file, entry) => {
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'])
      expect({ [kind]: lock[entry][kind] }).toEqual({ [kind]: readJson(file)[kind] });
  });
});
