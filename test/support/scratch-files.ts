/** Files of a test's own, in a folder that goes with its file of tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export interface ScratchFiles {
  readonly folder: string;
  /** Writes one, as JSON unless it is text; its path. */
  readonly file: (name: string, content: unknown) => string;
}

export function useScratchFiles(): ScratchFiles {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-files-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    get folder() {
      return folder;
    },
    file(name, content) {
      const path = join(folder, name);
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
      return path;
    },
  };
}
