/** The embedded database on a full disk: its start names the disk. */
import { describe, expect, it } from 'vitest';
import { startFailure } from '../../../server/store/driver/pglite-folder.ts';

describe('the failure of a start', () => {
  const aborted = new Error('Aborted(). Build with -sASSERTIONS for more info.');

  it('names the disk if it is full, and keeps the error as its cause', () => {
    const failure = startFailure('/data/postgres', aborted, 3_000_000);
    expect(failure.message).toMatch(/^the disk of \/data\/postgres is full: 3 MB are free/);
    expect(failure.cause).toBe(aborted);
  });

  it('is left as it is where there is space', () => {
    expect(startFailure('/data/postgres', aborted, 1 << 30)).toBe(aborted);
  });
});
