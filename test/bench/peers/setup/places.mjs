// Folders of the peers' set-up.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = join(dirname(fileURLToPath(import.meta.url)), '..');
export const tools = join(here, '.tools');

/** A step is up to date while its input files have not changed. */
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
