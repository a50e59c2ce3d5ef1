/** `muster export` and `muster import` as users run them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { migrate } from '../../../../server/store/migrate.ts';
import { makeScratchFolder, removeFolder } from '../../../support/base/replica.ts';
import { runMuster, runMusterProcess } from '../../../support/cli/cli.ts';
import { type ScratchPostgres, startPostgres } from '../../../support/databases/postgres.ts';

let postgres: ScratchPostgres;
let folder: string;
let url: string;

beforeAll(async () => {
  [postgres, folder] = await Promise.all([startPostgres(), makeScratchFolder()]);
  url = await postgres.createDatabase();
  const database = openPostgres({ url, applicationName: 'test' });
  try {
    await migrate(database);
    await database.script("SET search_path = muster; INSERT INTO retentions VALUES ('default', '', 86400000)");
  } finally {
    await database.close();
  }
});

afterAll(async () => {
  await postgres?.stop();
  await removeFolder(folder);
});

const muster = (...args: string[]) => runMuster(args, { cwd: folder });

describe('an export and an import', () => {
  it('report what they did, as text and as JSON', async () => {
    const exported = await muster('export', 'one.jsonl.gz', '--postgres', url);
    expect(exported).toMatchObject({ code: 0, stderr: '' });
    expect(exported.stdout).toMatch(
      /^Exported 3 rows into one\.jsonl\.gz \(\d[\d,]* bytes\)\.\nIt holds every payload and/,
    );
    expect(statSync(join(folder, 'one.jsonl.gz')).mode & 0o777).toBe(0o600);
    const again = await muster('export', 'two.jsonl', '--postgres', url, '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ file: join(folder, 'two.jsonl'), rows: { retentions: 1 } });
    const target = await postgres.createDatabase();
    const imported = await muster('import', 'one.jsonl.gz', '--postgres', target);
    expect(imported).toMatchObject({ code: 0, stderr: '' });
    expect(imported.stdout).toMatch(
      /^Imported 3 rows of \S+ into PostgreSQL\.\n.*Never start one on the old deployment again/,
    );
    const full = await muster('import', 'two.jsonl', '--postgres', target, '--json');
    expect(full.code).toBe(4);
    expect(JSON.parse(full.stderr).error.message).toMatch(/is not empty \("retentions" has rows\)/);
  });

  it('take the deployment from the environment, after the options', async () => {
    const env = { MUSTER_POSTGRES: url, MUSTER_DATA: 'nowhere' };
    const unclear = await runMusterProcess(['export', 'three.jsonl'], { cwd: folder, env });
    expect(unclear).toMatchObject({ code: 2, stdout: '' });
    expect(unclear.stderr).toMatch(/either in --data or in --postgres, and both are given/);
    const typed = await runMusterProcess(['export', 'three.jsonl', '--data', 'nowhere'], { cwd: folder, env });
    expect(typed.stderr).toMatch(/nowhere holds no embedded database: name the data folder with --data/);
    expect(typed.code).toBe(4);
    const byEnv = await runMusterProcess(['export', 'three.jsonl'], { cwd: folder, env: { MUSTER_POSTGRES: url } });
    expect(byEnv.code).toBe(0);
  });
});

describe('an invalid export or import', () => {
  it.each([
    [['export'], 2, /missing required argument 'file'/],
    [['export', 'x'], 4, /\.muster holds no embedded database/],
    [['export', 'x', '--postgres', 'postgres://x', '--data', 'y'], 2, /both are given/],
    [['import', 'x'], 2, /needs a target: --postgres URL, or --data FOLDER/],
    [['import', 'nofile', '--data', 'new'], 1, /no such file or directory/],
    [['import', 'x', '--server', 'a:1', '--data', 'new'], 2, /muster import takes no --server/],
  ])('is refused: %j', async (args, code, message) => {
    const result = await muster(...args);
    expect(result.stderr).toMatch(message);
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(readdirSync(folder)).not.toContain('new');
  });
});
