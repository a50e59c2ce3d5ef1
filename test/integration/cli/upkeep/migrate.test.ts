/** `muster migrate` as users run it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestVersion } from '../../../../server/store/migrate.ts';
import { runMuster } from '../../../support/cli/cli.ts';
import { type ScratchPostgres, startPostgres } from '../../../support/databases/postgres.ts';

let postgres: ScratchPostgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres?.stop());

const migrate = (...args: string[]) => runMuster(['migrate', ...args], {});

describe('muster migrate', () => {
  it('brings an empty database up to date, with a line for each migration, and finds nothing to do then', async () => {
    const url = await postgres.createDatabase('empty');
    const last = `The schema is up to date: version ${newestVersion()}.\n`;
    const first = await migrate('--postgres', url);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(first.stdout).toContain('migrates the schema: {"migration":"baseline","version":100}\n');
    expect(first.stdout.endsWith(last)).toBe(true);
    expect(await migrate('--postgres', url)).toMatchObject({ code: 0, stdout: last, stderr: '' });
  });

  it('says what it lacks', async () => {
    const refused = await migrate();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/needs --postgres \(or --postgres-file.*muster start opens it/s);
  });
});
