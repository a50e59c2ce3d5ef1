/** Checkouts for replicas of other commits. */
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { lackOfCommit, remove, root, unpack, withMigrations } from '../support/base/checkout.ts';

const baseline = readFileSync(join(root, '.ci/baseline'), 'utf8').trim();

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) remove(folder);
});

function kept(folder: string): string {
  folders.push(folder);
  return folder;
}

function helpOf(folder: string): string {
  return execFileSync(process.execPath, ['server/cli/muster.ts', 'start', '--help'], { cwd: folder, encoding: 'utf8' });
}

it('a commit that the clone lacks is named, with the remedy', () => {
  expect(lackOfCommit('0'.repeat(40))).toContain('git fetch --unshallow');
  expect(() => unpack('0'.repeat(40))).toThrow('lacks the commit');
  expect(lackOfCommit(baseline)).toBeUndefined();
});

it('the server of another commit starts, with its own SDK', () => {
  const folder = kept(unpack(baseline));
  expect(realpathSync(join(folder, 'node_modules/@muster-jobs/sdk'))).toBe(
    join(realpathSync(folder), 'sdk/typescript'),
  );
  expect(helpOf(folder)).toContain('Usage: muster start');
});

it('a later release has its migrations, and its server starts', () => {
  const folder = kept(withMigrations(root, { '0999_more.sql': 'SELECT 1;' }));
  expect(readFileSync(join(folder, 'server/store/schema/0999_more.sql'), 'utf8')).toBe('SELECT 1;');
  expect(helpOf(folder)).toContain('Usage: muster start');
});
