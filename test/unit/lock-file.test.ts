/** The lock file names what package.json asks for; `npm ci` refuses a fresh clone where it does not. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);
const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, root), 'utf8'));
const lock = readJson('package-lock.json').packages;

describe('the lock file', () => {
  it.each([
    ['package.json', ''],
    ['sdk/typescript/package.json', 'sdk/typescript'],
  ])('names what %s asks for', (file, entry) => {
    for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'])
      expect({ [kind]: lock[entry][kind] }).toEqual({ [kind]: readJson(file)[kind] });
  });
});
