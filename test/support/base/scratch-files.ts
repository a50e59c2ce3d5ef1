/** Temporary files of a test file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

export interface ScratchFiles {
  readonly folder: string;
  /** Writes a file, as JSON unless the content is text. Returns its path. */
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
