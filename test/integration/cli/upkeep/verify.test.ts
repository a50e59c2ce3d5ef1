/** `muster verify` as users run it. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPostgres } from '../../../../server/store/driver/postgres.ts';
import { migrate } from '../../../../server/store/migrate.ts';
import { makeScratchFolder, removeFolder, startTestReplica } from '../../../support/base/replica.ts';
import { runMuster } from '../../../support/cli/cli.ts';
import { sharedPostgres, type TestDatabases } from '../../../support/databases/postgres.ts';

let postgres: TestDatabases;
let folder: string;

beforeAll(async () => {
  [postgres, folder] = await Promise.all([sharedPostgres(), makeScratchFolder()]);
});

afterAll(async () => {
  await postgres?.stop();
  await removeFolder(folder);
});

const verify = (...args: string[]) => runMuster(['verify', ...args], { cwd: folder });

async function script(url: string, text: string): Promise<void> {
  const database = openPostgres({ url, applicationName: 'test' });
  try {
    await migrate(database);
    await database.script(`SET search_path = muster; ${text}`);
  } finally {
    await database.close();
  }
}

it('a verification says of each rule whether it holds, and exits with 21 if one does not', async () => {
  const url = await postgres.createDatabase('schema');
  await script(url, 'SELECT 1');
  const well = await verify('--postgres', url);
  expect(well).toMatchObject({ code: 0, stderr: '' });
  expect(well.stdout).toMatch(/^ok {4}jobs {10}each job is either open or has an outcome\n(.*\n)*All of it holds\.\n$/);
  await script(
    url,
    `INSERT INTO signal_waits (job_id, signal_key_id, name, key)
     SELECT gen_random_uuid(), gen_random_uuid(), 'paid', '' FROM generate_series(1, 22)`,
  );
  const broken = await verify('--postgres', url);
  expect(broken.code).toBe(21);
  expect(broken.stdout).toMatch(
    /\nFAIL {2}signals {7}each wait for a signal belongs to an open job\n {20}job \S+ waits for signal paid/,
  );
  expect(broken.stdout).toMatch(/\n {20}… and 2 more\n22 faults\. /);
  const json = await verify('--postgres', url, '--json');
  expect(json.code).toBe(21);
  const { faultCount, rules } = JSON.parse(json.stdout);
  expect([faultCount, rules.length]).toEqual([22, 11]);
  expect(rules.find(({ name }: { name: string }) => name === 'signals').faults).toHaveLength(20);
});

it('a verification is refused where there is no deployment, or an embedded one that is served', async () => {
  const none = await verify('--data', join(folder, 'none'));
  expect(none).toMatchObject({ code: 4, stdout: '' });
  expect(none.stderr).toMatch(/holds no embedded database: name the data folder with --data/);
  const empty = await verify('--postgres', await postgres.createDatabase('empty'));
  expect(empty).toMatchObject({ code: 4, stdout: '' });
  expect(empty.stderr).toMatch(/has no schema of Muster, and this release verifies version \d+/);
  const dataFolder = join(folder, 'served');
  const replica = await startTestReplica({ dataFolder });
  try {
    expect((await verify('--data', dataFolder)).stderr).toMatch(/in use|another/);
  } finally {
    await replica.stop();
  }
  expect(await verify('--data', dataFolder)).toMatchObject({ code: 0, stderr: '' });
});
