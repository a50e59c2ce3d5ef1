/** Folders of embedded databases with the schema in them: made once, then copied, which is faster than a first start. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { migrate } from '../../server/store/migrate.ts';
import { openPglite } from '../../server/store/pglite.ts';
import { createStore } from '../../server/store/store.ts';

export interface PgliteFolders {
  /** A folder of its own, removed at the end of the file. */
  copy(): string;
}

export function usePgliteFolders(): PgliteFolders {
  let parent = '';
  let copies = 0;
  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), 'muster-pglite-'));
    const database = await openPglite({ dataDir: join(parent, 'template') });
    await migrate(database);
    await createStore(database).ensurePartitions();
    await database.close();
  });
  afterAll(() => rmSync(parent, { recursive: true, force: true }));
  return {
    copy() {
      const folder = join(parent, `copy-${++copies}`);
      cpSync(join(parent, 'template'), folder, { recursive: true });
      return folder;
    },
  };
}
