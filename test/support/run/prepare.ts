/** Global setup of vitest: prepares databases once per run, each at its first request, and removes them at the end. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import type { Database } from '../../../server/store/driver/database.ts';
import { openPglite } from '../../../server/store/driver/pglite.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { migrate } from '../../../server/store/migrate.ts';
import { MIGRATED, makeDataFolder, memoryFolder, type PostgresMajor, startPostgres } from '../databases/postgres.ts';
import { createStore } from '../store/create-store.ts';
import { PREPARED_URL, type Prepared } from './prepared.ts';

type Makers = Readonly<Record<Prepared, () => Promise<string>>>;

/** Detects a deadlock after 20 ms instead of a second. Statistics change only when a test runs ANALYZE. */
const sharedSettings = { fsync: 'off', deadlock_timeout: '20ms', autovacuum: 'off', max_connections: '400' };

async function bringSchema(database: Database): Promise<void> {
  try {
    await migrate(database);
    await createStore(database).ensurePartitions();
  } finally {
    await database.close();
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

class Preparation {
  readonly #folder = mkdtempSync(join(tmpdir(), 'muster-tests-'));
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #made = new Map<Prepared, Promise<string>>();
  readonly #makers: Makers = {
    'pglite folder': () => this.#makePglite(),
    'pglite snapshot': () => this.#dumpPglite(),
    'postgres-16 folder': async () => this.#keepFolder(makeDataFolder(16)),
    'postgres-18 folder': async () => this.#keepFolder(makeDataFolder(18)),
    'postgres-16 server': () => this.#startPostgres(16),
    'postgres-18 server': () => this.#startPostgres(18),
  };
  readonly #folders = [this.#folder];
  readonly #server = createServer(({ url = '' }, response) => void this.#answer(url, response));

  async start(): Promise<void> {
    process.once('exit', this.#removeFolders);
    for (const signal of SIGNALS) process.on(signal, this.#exit);
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    process.env[PREPARED_URL] = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    await Promise.allSettled(this.#made.values());
    await Promise.all(this.#stops.map((stop) => stop()));
    process.off('exit', this.#removeFolders);
    for (const signal of SIGNALS) process.off(signal, this.#exit);
    this.#removeFolders();
  }

  /** Removes what an interrupted run has made. A second signal, to the whole group as well as by npm, must not end that. */
  readonly #exit = () => process.exit(1);

  readonly #removeFolders = () => {
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  };

  #part(part: Prepared): Promise<string> {
    const made = this.#made.get(part) ?? this.#makers[part]();
    this.#made.set(part, made);
    return made;
  }

  async #answer(url: string, response: ServerResponse): Promise<void> {
    const part = decodeURIComponent(url.slice(1)) as Prepared;
    try {
      response.end(await this.#part(part));
    } catch (error) {
      response.writeHead(500).end(`${part} could not be prepared: ${(error as Error).stack}`);
    }
  }

  #keepFolder(folder: string): string {
    this.#folders.push(folder);
    return folder;
  }

  async #makePglite(): Promise<string> {
    const dataDir = join(this.#folder, 'pglite');
    mkdirSync(dataDir);
    await bringSchema(await openPglite({ dataDir }));
    return dataDir;
  }

  async #dumpPglite(): Promise<string> {
    const file = join(this.#folder, 'pglite.tar');
    const copy = join(this.#folder, 'pglite-to-dump'); // others copy the folder at the same time
    cpSync(await this.#part('pglite folder'), copy, { recursive: true });
    const database = await PGlite.create({ dataDir: copy });
    const dump = await database.dumpDataDir('none');
    writeFileSync(file, Buffer.from(await dump.arrayBuffer()));
    await database.close();
    return file;
  }

  async #startPostgres(major: PostgresMajor): Promise<string> {
    const postgres = await startPostgres({ major, settings: sharedSettings, parent: memoryFolder() });
    this.#stops.push(() => postgres.stop());
    await bringSchema(openPostgres({ url: await postgres.createDatabase(MIGRATED) }));
    return postgres.url;
  }
}

/** Each vitest project calls it. The first call prepares for all. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (process.env[PREPARED_URL] !== undefined) return undefined;
  const preparation = new Preparation();
  await preparation.start();
  return () => preparation.stop();
}
