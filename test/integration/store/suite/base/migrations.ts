/**
 * Migrations: applied once by any number of concurrent starts; a newer schema is refused only if it breaks this
 * release.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../../../server/store/driver/database.ts';
import { openPostgres } from '../../../../../server/store/driver/postgres.ts';
import { migrate, releaseMigrations } from '../../../../../server/store/migrate.ts';
import { eventually } from '../../../../support/base/eventually.ts';
import { type StoreContext, sql } from '../../../../support/store/store-context.ts';

export function migrationsSuite(context: StoreContext): void {
  async function withVersion<T>(version: number, breaking: boolean, work: () => Promise<T>): Promise<T> {
    await sql(
      context,
      `INSERT INTO schema_migrations (version, name, breaking) VALUES (${version}, 'future', ${breaking})`,
    );
    try {
      return await work();
    } finally {
      await sql(context, `DELETE FROM schema_migrations WHERE version = ${version}`);
    }
  }

  describe('migrations', () => {
    it('are not applied a second time', async () => {
      expect(await migrate(context.database)).toEqual([]);
    });

    it('refuse a newer schema that breaks this release, with advice', async () => {
      await withVersion(9_000, true, async () => {
        await expect(migrate(context.database)).rejects.toThrow(
          /schema version 9000 \(future\).*start a newer release/,
        );
      });
      expect(await withVersion(9_000, false, () => migrate(context.database))).toEqual([]);
    });

    it('refuse a schema from before the first release, with advice', async () => {
      await withVersion(33, false, async () => {
        await expect(migrate(context.database)).rejects.toThrow(
          /schema version 33 \(future\), from a build of Muster before its first release.*start this release on an empty database/,
        );
      });
    });

    it('apply the missing ones in their order, up to a version', async () => {
      const later = [9_001, 9_002].map((version) => ({ version, name: `later ${version}`, text: 'SELECT 1' }));
      const migrations = [...releaseMigrations(), ...later];
      try {
        expect(await migrate(context.database, { migrations, upTo: 9_001 })).toEqual(['later 9001']);
        expect(await migrate(context.database, { migrations })).toEqual(['later 9002']);
      } finally {
        await sql(context, 'DELETE FROM schema_migrations WHERE version > 9000');
      }
    });

    it.skipIf(context.kind === 'PGlite')(
      'are applied once by several replicas that start at once on an empty database',
      async () => {
        const url = await context.databases?.createDatabase('empty');
        if (!url) throw new Error('a server was expected');
        const databases = Array.from({ length: 4 }, () => openPostgres({ url, poolSize: 2 }));
        try {
          const applied = await Promise.all(databases.map((database) => migrate(database)));
          const versions = await sql(
            { database: databases[0] as (typeof databases)[0] },
            'SELECT name FROM schema_migrations ORDER BY version',
          );
          expect(applied.flat().sort()).toEqual(versions.map((row) => row.name).sort());
          expect(versions.length).toBeGreaterThan(0);
        } finally {
          await Promise.all(databases.map((database) => database.close()));
        }
      },
    );

    it('with statements outside of a transaction run each by itself', async () => {
      const text = `-- concurrent
DROP INDEX CONCURRENTLY IF EXISTS later_index;
CREATE INDEX CONCURRENTLY later_index ON retentions (namespace);
`;
      const migrations = [...releaseMigrations(), { version: 9_003, name: 'index', text }];
      try {
        expect(await migrate(context.database, { migrations })).toEqual(['index']);
        const found = await sql(
          context,
          "SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = 'later_index'::regclass",
        );
        expect(found).toEqual([{ valid: true }]);
      } finally {
        await sql(context, 'DROP INDEX IF EXISTS later_index');
        await sql(context, 'DELETE FROM schema_migrations WHERE version > 9000');
      }
    });

    describe.skipIf(context.kind === 'PGlite')('on PostgreSQL', () => {
      const later = (text: string) => [...releaseMigrations(), { version: 9_004, name: 'later', text }];
      let opened: Database[] = [];
      const open = (answerMs: number) => {
        const database = openPostgres({ url: context.url as string, poolSize: 2, answerMs });
        opened.push(database);
        return database;
      };

      afterEach(async () => {
        await Promise.all(opened.map((database) => database.close()));
        opened = [];
        await sql(context, 'ALTER TABLE retentions DROP COLUMN IF EXISTS later');
        await sql(context, 'DELETE FROM schema_migrations WHERE version > 9000');
      });

      it('take as long as they need', async () => {
        const migrations = later('SELECT pg_sleep(1)');
        expect(await migrate(open(300), { migrations })).toEqual(['later']);
      });

      it('let others pass while a transaction uses a table of theirs, and say so', async () => {
        const messages: string[] = [];
        const log = { info: (_: unknown, message: string) => void messages.push(message) };
        const database = open(20_000);
        const migrations = later('ALTER TABLE retentions ADD COLUMN later int');
        let migrated: Promise<string[]> | undefined;
        await database.transaction(async (session) => {
          await session.run({ name: '', text: 'SELECT FROM retentions LIMIT 1' }, []);
          migrated = migrate(open(20_000), { migrations, log });
          await eventually('it waits', async () =>
            messages.includes('waits for a transaction that uses a table of it'),
          );
          await sql(context, 'SELECT FROM retentions LIMIT 1');
        });
        expect(await migrated).toEqual(['later']);
      });

      it('wait for another process that migrates, and say so', async () => {
        const messages: string[] = [];
        const log = { info: (_: unknown, message: string) => void messages.push(message) };
        const migrations = later('ALTER TABLE retentions ADD COLUMN later int');
        const [first, second] = [open(20_000), open(20_000)];
        let waited: Promise<string[]> | undefined;
        let firstDone: Promise<string[]> | undefined;
        await context.database.transaction(async (session) => {
          await session.run({ name: '', text: 'SELECT FROM retentions LIMIT 1' }, []);
          firstDone = migrate(first, { migrations, log });
          await eventually('the first one migrates', async () => messages.includes('migrates the schema'));
          waited = migrate(second, { migrations, log });
          await eventually('the second one waits', async () =>
            messages.includes('waits for another process that migrates this database'),
          );
        });
        expect(await firstDone).toEqual(['later']);
        expect(await waited).toEqual([]);
      });
    });
  });

  describe('the clock', () => {
    it('is that of the database and never runs back', async () => {
      const times: number[] = [];
      for (let i = 0; i < 50; i++) times.push(await context.store.nowUs());
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(Number.isInteger(times[0])).toBe(true);
      expect(Math.abs((times[0] as number) / 1000 - Date.now())).toBeLessThan(60_000);
    });
  });
}
