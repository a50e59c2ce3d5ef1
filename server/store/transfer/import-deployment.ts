/** Imports an exported deployment into an empty one: checked as a whole first, then stored in one transaction. */
import type { Database, Session } from '../driver/database.ts';
import { type Migration, migrate, newestVersion, releaseMigrations } from '../migrate.ts';
import { dayStart, makeDays } from '../upkeep/partitions.ts';
import { type CataloguedTable, quoted, readSchemaVersion, readTables } from './catalogue.ts';
import type { TransferProgress } from './export-deployment.ts';
import type { ExportedTable, ExportHeader } from './export-format.ts';
import { checkExport, type ExportPage, readExport } from './export-reader.ts';
import { holdSchema, refuseFull, seededTables } from './in-use.ts';
import { TransferRefusal } from './refusal.ts';
import { transferSettings } from './settings.ts';

export interface ImportOptions {
  readonly onProgress?: ((progress: TransferProgress) => void) | undefined;
  /** Default: the migrations of this release. */
  readonly migrations?: readonly Migration[];
}

function refuseForeign(path: string, { schemaVersion, release }: ExportHeader): void {
  const [oldest, newest] = [releaseMigrations()[0]?.version ?? 0, newestVersion()];
  if (schemaVersion < oldest) {
    throw new TransferRefusal(
      `${path} has schema version ${schemaVersion}, from a build of Muster before its first release, and this release knows ` +
        `versions from ${oldest}: let that build finish its jobs. Nothing was changed`,
    );
  }
  if (schemaVersion > newest) {
    throw new TransferRefusal(
      `${path} was written by release ${release} with schema version ${schemaVersion}, and this release knows versions up to ` +
        `${newest}: import it with release ${release} or newer. Nothing was changed`,
    );
  }
}

/** A file of an older release is stored in the schema of that release, which is then migrated. */
async function refuseOlder(database: Database, path: string, header: ExportHeader): Promise<void> {
  const version = await readSchemaVersion(database);
  if (version === undefined) return;
  if (version > header.schemaVersion) {
    throw new TransferRefusal(
      `${path} has schema version ${header.schemaVersion}, and the database to import into is at ${version} already: ` +
        'import into a database without the schema "muster", which is then made. Nothing was changed',
    );
  }
  await refuseFull(database, await readTables(database));
}

const described = (table: Pick<ExportedTable, 'name' | 'columns'>) =>
  `${table.name} (${table.columns
    .map(({ name, type }) => `${name} ${type}`)
    .sort()
    .join(', ')})`;

/** The file and the database must have the same tables and columns. They differ if either was changed manually. */
function refuseOther(path: string, header: ExportHeader, tables: readonly CataloguedTable[]): void {
  const [theirs, ours] = [header.tables.map(described), tables.map(described)];
  const odd = theirs.find((one) => !ours.includes(one)) ?? ours.find((one) => !theirs.includes(one));
  if (odd === undefined) return;
  throw new TransferRefusal(
    `${path} does not fit schema version ${header.schemaVersion} of this release: one of the two has no table ${odd}`,
  );
}

/** One row of the file is one element of the parameter. */
function insertOf({ name, columns }: ExportedTable): string {
  const values = columns.map(({ type }, at) => `(page.value ->> ${at})::${type}`).join(', ');
  return `
INSERT INTO ${quoted(name)} (${columns.map((column) => quoted(column.name)).join(', ')}) OVERRIDING SYSTEM VALUE
SELECT ${values} FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS page (value, place) ORDER BY place`;
}

class Import {
  readonly #session: Session;
  readonly #path: string;
  readonly #header: ExportHeader;
  readonly #onProgress: (progress: TransferProgress) => void;

  constructor(session: Session, path: string, header: ExportHeader, onProgress: (progress: TransferProgress) => void) {
    this.#session = session;
    this.#path = path;
    this.#header = header;
    this.#onProgress = onProgress;
  }

  async run(): Promise<void> {
    await transferSettings(this.#session);
    await holdSchema(this.#session, 'alone');
    const tables = await readTables(this.#session);
    refuseOther(this.#path, this.#header, tables);
    // Blocks all reads and writes until the import ends, even by a client that passed every other check.
    await this.#do(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(', ')} IN ACCESS EXCLUSIVE MODE`);
    await refuseFull(this.#session, tables);
    for (const { name } of tables) if (seededTables.has(name)) await this.#do(`DELETE FROM ${quoted(name)}`);
    await this.#setTriggers(tables, 'DISABLE');
    await this.#store();
    await this.#setTriggers(tables, 'ENABLE');
    await this.#setSequences();
    await this.#check();
  }

  async #do(text: string): Promise<void> {
    await this.#session.run({ name: '', text }, []);
  }

  /** The effects of triggers are in the file: they ran when the rows were first written. */
  async #setTriggers(tables: readonly CataloguedTable[], how: 'DISABLE' | 'ENABLE'): Promise<void> {
    for (const { name } of tables) await this.#do(`ALTER TABLE ${quoted(name)} ${how} TRIGGER USER`);
  }

  async #store(): Promise<void> {
    const statements = new Map(this.#header.tables.map((table) => [table.name, insertOf(table)]));
    const of = this.#header.tables.reduce((sum, table) => sum + table.rows, 0);
    let rows = 0;
    for await (const page of this.#pages()) {
      await this.#session.run({ name: '', text: statements.get(page.table) as string }, [`[${page.rows.join(',')}]`]);
      rows += page.rows.length;
      this.#onProgress({ rows, of, part: page.table });
    }
  }

  async *#pages(): AsyncGenerator<ExportPage> {
    for await (const page of readExport(this.#path)) {
      if (JSON.stringify(page.header) !== JSON.stringify(this.#header))
        throw new TransferRefusal(`${this.#path} was changed meanwhile`);
      yield page;
    }
  }

  async #setSequences(): Promise<void> {
    for (const { name, lastValue } of this.#header.sequences) {
      await this.#session.run({ name: '', text: 'SELECT setval($1::regclass, $2)', row: { setval: 'int8' } }, [
        quoted(name),
        lastValue,
      ]);
    }
  }

  /** Checks that every row of the file is stored. Statistics of tables that were empty would mislead the planner. */
  async #check(): Promise<void> {
    for (const { name, rows } of this.#header.tables) {
      const text = `SELECT count(*) AS rows FROM ${quoted(name)}`;
      const [found] = await this.#session.run({ name: '', text, row: { rows: 'int8' } }, []);
      if (found?.rows !== rows)
        throw new TransferRefusal(`"${name}" has ${found?.rows} rows instead of ${rows}. Nothing was changed`);
      await this.#do(`ANALYZE ${quoted(name)}`);
    }
  }
}

/**
 * Reads and checks the whole file. Returns its header if this release can import it.
 * @throws Error that says what is wrong with the file.
 */
export async function checkImport(path: string, options: ImportOptions): Promise<ExportHeader> {
  const header = await checkExport(path, (rows, of) => options.onProgress?.({ rows, of, part: 'check' }));
  refuseForeign(path, header);
  return header;
}

/**
 * Imports a checked file into the deployment in `database`, which must be empty or missing.
 * @throws Error that states the obstacle; then nothing was stored, and the import can be repeated.
 */
export async function importDeployment(
  database: Database,
  path: string,
  header: ExportHeader,
  options: ImportOptions,
): Promise<void> {
  await refuseOlder(database, path, header);
  const { migrations = releaseMigrations() } = options;
  await migrate(database, { migrations, upTo: header.schemaVersion });
  await makeDays(database, header.days.map(dayStart));
  const onProgress = options.onProgress ?? (() => {});
  await database.transaction((session) => new Import(session, path, header, onProgress).run());
  await migrate(database, { migrations });
}
