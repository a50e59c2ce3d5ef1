/** Refusals of an export or import: they give the reason and advice, and change nothing. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../../server/data-lock.ts';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { type Migration, migrate, newestVersion, releaseMigrations } from '../../../server/store/migrate.ts';
import { checkImport, importDeployment } from '../../../server/store/transfer/import-deployment.ts';
import { seededTables } from '../../../server/store/transfer/in-use.ts';
import { exportTo, importFrom } from '../../../server/transfer.ts';
import { makeScratchFolder, removeFolder } from '../../support/base/replica.ts';
import { sharedPostgres, type TestDatabases } from '../../support/databases/postgres.ts';
import { createStore } from '../../support/store/create-store.ts';
import type { StoreContext } from '../../support/store/store-context.ts';
import { makeCall, makeJob, makeLane, openWorker } from '../../support/store/store-fixtures.ts';

let postgres: TestDatabases;
let folder: string;
/** A complete export of a few jobs. */
let whole: string;

beforeAll(async () => {
  [postgres, folder] = await Promise.all([sharedPostgres(), makeScratchFolder()]);
  whole = await fill(await postgres.createDatabase('empty'));
});

afterAll(async () => {
  await postgres?.stop();
  await removeFolder(folder);
});

/** Stores a few jobs in a database and exports it. Returns the file's text. */
async function fill(url: string): Promise<string> {
  const database: Database = openPostgres({ url, applicationName: 'test' });
  try {
    await migrate(database);
    const store = createStore(database);
    await store.ensurePartitions();
    const laneId = await makeLane({ database, store } as StoreContext);
    await store.submit([makeCall(Array.from({ length: 5 }, () => makeJob(laneId)))]);
  } finally {
    await database.close();
  }
  const file = join(folder, 'whole.jsonl');
  await exportTo(file, { postgresUrl: url });
  return readFileSync(file, 'utf8');
}

async function hasSchema(url: string): Promise<boolean> {
  const database = openPostgres({ url, applicationName: 'test' });
  try {
    const [row] = await database.run(
      { name: '', text: "SELECT to_regnamespace('muster') IS NOT NULL AS there", row: { there: 'bool' } },
      [],
    );
    return row?.there ?? false;
  } finally {
    await database.close();
  }
}

/** The file with other lines, and a matching checksum. */
function signed(lines: readonly string[]): string {
  const body = lines.slice(0, -1).map((line) => `${line}\n`);
  const trailer = JSON.parse(lines.at(-1) ?? '');
  const sha256 = createHash('sha256').update(body.join('')).digest('hex');
  return `${body.join('')}${JSON.stringify({ ...trailer, sha256 })}\n`;
}

const linesOf = (text: string) => text.trimEnd().split('\n');
const withHeader = (text: string, change: object) => {
  const [header = '', ...rest] = linesOf(text);
  return signed([JSON.stringify({ ...JSON.parse(header), ...change }), ...rest]);
};
const without = (text: string, drop: (line: string) => boolean) => {
  const at = linesOf(text).findIndex(drop);
  return signed(linesOf(text).filter((_, index) => index !== at));
};
const isRow = (line: string) => line.startsWith('[');

/** Each damage of the file, with the expected error. */
const damages: readonly (readonly [string, (text: string) => string | Buffer, RegExp])[] = [
  ['is empty', () => '', /is no export of Muster/],
  ['is something else', () => '{"jobs":[]}\n', /is no export of Muster: name a file that "muster export" has written/],
  ['was cut in the header', (text) => text.slice(0, 100), /last line is incomplete/],
  ['was cut in a row', (text) => text.slice(0, text.length * 0.7), /damaged or was cut short.*Nothing was changed/],
  ['was cut between two rows', (text) => `${linesOf(text).slice(0, -4).join('\n')}\n`, /its end is missing/],
  ['lacks the end of its last line', (text) => text.trimEnd(), /last line is incomplete/],
  ['has another byte', (text) => text.replace('"default"', '"defauLt"'), /its checksum is wrong/],
  ['lacks a row', (text) => without(text, isRow), /has \d+ rows of \d+/],
  [
    'lacks a table',
    (text) => without(text, (line) => line.startsWith('{"table"')),
    /where "archived_definitions" should be/,
  ],
  ['has a meaningless line', (text) => text.replace('{"table":"jobs"}', '{"tables":"jobs"}'), /an unknown line/],
  ['continues after its end', (text) => `${text}[]\n`, /it continues after its end/],
  ['has half a header', (text) => withHeader(text, { tables: undefined }), /not a whole header/],
  [
    'has a row that does not fit',
    (text) => signed(linesOf(text).map((line) => line.replace('"default"', '"x","default"'))),
    /invalid input syntax/,
  ],
];

describe('an import of a file that', () => {
  it.each(damages)('%s changes nothing', async (what, damage, message) => {
    const url = await postgres.createDatabase('empty');
    const file = join(folder, 'damaged.jsonl');
    writeFileSync(file, damage(whole));
    await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(message);
    // An error that only the database can find comes after the schema was created; a second import works.
    if (what !== 'has a row that does not fit') expect(await hasSchema(url)).toBe(false);
    else await importFrom(join(folder, 'whole.jsonl'), { postgresUrl: url });
  });

  it('is compressed and cut changes nothing', async () => {
    const url = await postgres.createDatabase('empty');
    const file = join(folder, 'cut.jsonl.gz');
    const bytes = gzipSync(whole);
    expect(gunzipSync(bytes).toString()).toBe(whole);
    writeFileSync(file, bytes.subarray(0, bytes.length - 50));
    await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(/damaged or was cut short: unexpected end/);
    expect(await hasSchema(url)).toBe(false);
  });

  it('has a format or a schema of a later release is refused', async () => {
    const url = await postgres.createDatabase('empty');
    const file = join(folder, 'later.jsonl');
    writeFileSync(file, withHeader(whole, { schemaVersion: newestVersion() + 1, release: '9.9.9' }));
    await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(
      new RegExp(`schema version ${newestVersion() + 1}.*import it with release 9.9.9 or newer. Nothing was changed`),
    );
    writeFileSync(file, withHeader(whole, { formatVersion: 2, release: '9.9.9' }));
    await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(/has format 2.*release 9.9.9 or newer/);
    expect(await hasSchema(url)).toBe(false);
  });
});

describe('a file of an earlier release', () => {
  const next: Migration = {
    version: newestVersion() + 1,
    name: 'next',
    text: 'ALTER TABLE lanes ADD COLUMN next_column integer NOT NULL DEFAULT 7',
  };
  const migrations = [...releaseMigrations(), next];

  it('is stored in the schema of its time, which is then migrated', async () => {
    const url = await postgres.createDatabase('empty');
    const file = join(folder, 'early.jsonl');
    writeFileSync(file, whole);
    const header = await checkImport(file, {});
    expect(header.schemaVersion).toBe(newestVersion());
    const imported = openPostgres({ url, applicationName: 'test' });
    try {
      await importDeployment(imported, file, header, { migrations });
      expect(await migrate(imported, { migrations })).toEqual([]);
      expect(await imported.run({ name: '', text: 'SELECT lane_id, next_column FROM lanes' }, [])).toEqual([
        { lane_id: 1, next_column: 7 },
      ]);
    } finally {
      await imported.close();
    }
    const current = await postgres.createDatabase('empty');
    const migrated = openPostgres({ url: current, applicationName: 'test' });
    try {
      await migrate(migrated, { migrations });
      await expect(importDeployment(migrated, file, header, { migrations })).rejects.toThrow(
        /is at \d+ already: import into a database/,
      );
    } finally {
      await migrated.close();
    }
  });

  it('from before the first release is refused', async () => {
    const file = join(folder, 'before.jsonl');
    writeFileSync(file, withHeader(whole, { schemaVersion: 33 }));
    await expect(checkImport(file, {})).rejects.toThrow(
      /schema version 33, from a build of Muster before its first release.*Nothing was changed/,
    );
  });
});

describe('an import target', () => {
  it('with rows is refused, whatever they are', async () => {
    const url = await postgres.createDatabase('empty');
    const file = join(folder, 'file.jsonl');
    writeFileSync(file, whole);
    const database = openPostgres({ url, applicationName: 'test' });
    try {
      await migrate(database);
      await database.script("INSERT INTO retentions VALUES ('default', '', 1000)");
      await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(/is not empty \("retentions" has rows\)/);
      await database.script('DELETE FROM retentions');
    } finally {
      await database.close();
    }
    await importFrom(file, { postgresUrl: url });
    await expect(importFrom(file, { postgresUrl: url })).rejects.toThrow(/is not empty/);
  });

  it('that was only migrated has only the known initial rows', async () => {
    const url = await postgres.createDatabase('empty');
    const database = openPostgres({ url, applicationName: 'test' });
    try {
      await migrate(database);
      await createStore(database).ensurePartitions();
      const tables = await database.run(
        {
          name: '',
          text: `SELECT relname AS name FROM pg_class WHERE relnamespace = 'muster'::regnamespace AND relkind IN ('r', 'p')`,
          row: { name: 'name' },
        },
        [],
      );
      const filled: string[] = [];
      for (const { name } of tables) {
        const [row] = await database.run(
          { name: '', text: `SELECT EXISTS (SELECT FROM ${name}) AS any`, row: { any: 'bool' } },
          [],
        );
        if (row?.any) filled.push(name);
      }
      expect(filled.filter((name) => name !== 'schema_migrations')).toEqual([...seededTables]);
    } finally {
      await database.close();
    }
  });
});

describe('a deployment in use', () => {
  it('is neither exported nor imported into, in a data folder', async () => {
    const dataFolder = join(folder, 'served');
    mkdirSync(join(dataFolder, 'postgres'), { recursive: true });
    writeFileSync(join(dataFolder, 'postgres', 'PG_VERSION'), '18\n');
    const unlock = lockDataFolder(dataFolder);
    const served = `is in use by process ${process.pid}: stop it`;
    await expect(exportTo(join(folder, 'no.jsonl'), { dataFolder })).rejects.toThrow(served);
    await expect(importFrom(join(folder, 'whole.jsonl'), { dataFolder })).rejects.toThrow(served);
    unlock();
    expect(existsSync(join(folder, 'no.jsonl'))).toBe(false);
  });

  it('is refused on PostgreSQL while replicas are connected or sessions are open', async () => {
    const url = await postgres.createDatabase('empty');
    const replica: Database = openPostgres({ url });
    try {
      await migrate(replica);
      const connected = /a control plane is connected to this database \(\d+ connections\): stop every replica/;
      await expect(exportTo(join(folder, 'no.jsonl'), { postgresUrl: url })).rejects.toThrow(connected);
      await expect(importFrom(join(folder, 'whole.jsonl'), { postgresUrl: url })).rejects.toThrow(connected);
      await openWorker({ database: replica, store: createStore(replica) } as StoreContext);
    } finally {
      await replica.close();
    }
    const live = /sessions of this database are live.*try again in \d+ s/;
    await expect(exportTo(join(folder, 'no.jsonl'), { postgresUrl: url })).rejects.toThrow(live);
    expect(readdirSync(folder).filter((name) => name.startsWith('no.'))).toEqual([]);
  });

  it('can not be started while it is moved', async () => {
    const url = await postgres.createDatabase('empty');
    const [mover, starter] = [openPostgres({ url, applicationName: 'test' }), openPostgres({ url })];
    try {
      await migrate(mover);
      await mover.transaction(async (session) => {
        await session.run({ name: '', text: 'SELECT pg_advisory_xact_lock_shared(7302418)' }, []);
        await expect(migrate(starter)).rejects.toThrow(/a running "muster export" or "muster import"/);
      });
    } finally {
      await Promise.all([mover.close(), starter.close()]);
    }
  });
});

describe('an export', () => {
  it('does not replace a file, and leaves none if there is nothing to export', async () => {
    const taken = join(folder, 'taken.jsonl');
    writeFileSync(taken, 'mine');
    const url = await postgres.createDatabase('empty');
    await expect(exportTo(taken, { postgresUrl: url })).rejects.toThrow(/no deployment of Muster to export/);
    const database = openPostgres({ url, applicationName: 'test' });
    await migrate(database).finally(() => database.close());
    await expect(exportTo(taken, { postgresUrl: url })).rejects.toThrow(/already exists: give another name/);
    expect(readFileSync(taken, 'utf8')).toBe('mine');
    const nowhere = join(folder, 'nowhere');
    await expect(exportTo(join(folder, 'new.jsonl'), { dataFolder: nowhere })).rejects.toThrow(
      /holds no embedded database/,
    );
    expect(existsSync(nowhere)).toBe(false);
    await expect(importFrom(join(folder, 'no-file'), { dataFolder: nowhere })).rejects.toThrow(/no such file/);
    expect(existsSync(nowhere)).toBe(false);
  });
});
