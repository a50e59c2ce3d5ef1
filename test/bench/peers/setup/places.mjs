// Where the set-up of the peers puts things.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = join(dirname(fileURLToPath(import.meta.url)), '..');
export const tools = join(here, '.tools');

/** A step is ready when what it was last brought from has not changed since. */
export function stamp(name, ...files) {
  const path = join(tools, `${name}.stamp`);
  const digest = () => {
    const hash = createHash('sha256');
    for (const file of files) hash.update(readFileSync(join(here, file)));
    return hash.digest('hex');
  };
  return {
    isCurrent: () => existsSync(path) && readFileSync(path, 'utf8') === digest(),
    write() {
      mkdirSync(tools, { recursive: true });
      writeFileSync(path, digest());
    },
  };
}
