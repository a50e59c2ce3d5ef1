/** Folders of embedded databases with the schema, made by a copy, which is faster than a first start. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { copyPglite } from '../run/prepared.ts';

export interface PgliteFolders {
  /** A new folder, removed after the tests of the file. */
  copy(): Promise<string>;
}

export function usePgliteFolders(): PgliteFolders {
  const parent = mkdtempSync(join(tmpdir(), 'muster-pglite-'));
  let copies = 0;
  afterAll(() => rmSync(parent, { recursive: true, force: true }));
  return {
    async copy() {
      const folder = join(parent, `copy-${++copies}`);
      await copyPglite(folder);
      return folder;
    },
  };
}
