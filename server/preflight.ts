/** What would end a start half-way is refused before it: nothing has been changed then. */
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Config } from './config.ts';
import { ownerOf } from './data-lock.ts';

/** A new embedded database with its first files of the write-ahead log. */
const NEW_DATABASE_BYTES = 64 << 20;

type Settings = Pick<Config, 'host' | 'grpcPort' | 'httpPort' | 'dataFolder' | 'postgresUrl' | 'natsUrls'>;

/** @throws Error that names what is wrong, and what to do about it. */
export async function refuseStart(settings: Settings): Promise<void> {
  if (!settings.postgresUrl || settings.natsUrls.length === 0) refuseFolder(settings.dataFolder, settings.postgresUrl);
  await refusePort(settings.host, settings.grpcPort, '--grpc-port');
  await refusePort(settings.host, settings.httpPort, '--http-port');
}

function refuseFolder(folder: string, postgresUrl: string | undefined): void {
  const other = 'choose another folder with --data';
  const existing = nearestExisting(folder);
  if (!statSync(existing).isDirectory()) throw new Error(`${existing} is a file, not a folder: ${other}`);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch {
    throw new Error(`${existing} can't be written by this user: give it the right to, or ${other}`);
  }
  const owner = existing === folder ? ownerOf(folder) : undefined;
  if (owner) throw new Error(`${folder} is in use by ${owner}: stop it, or ${other}`);
  const isNew = !postgresUrl && !existsSync(join(folder, 'postgres', 'PG_VERSION'));
  const { bavail, bsize } = statfsSync(existing);
  if (!isNew || bavail * bsize >= NEW_DATABASE_BYTES) return;
  const free = `${Math.floor((bavail * bsize) / 2 ** 20)} MiB are free on the disk of ${existing}`;
  throw new Error(`${free}, and a new database needs ${NEW_DATABASE_BYTES >> 20} MiB: free space, or ${other}`);
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** Nothing keeps the port from here to its use; then the server itself refuses. */
async function refusePort(host: string, port: number, option: string): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  const failure = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    server.once('error', resolve);
    server.listen({ host, port, exclusive: true }, () => resolve(undefined));
  });
  if (!failure) return new Promise((resolve) => void server.close(() => resolve()));
  const place = `port ${port} of ${host}`;
  if (failure.code === 'EADDRINUSE')
    throw new Error(
      `${place} is taken by another program: stop it, or choose another port with ${option} (0: a free one)`,
    );
  if (failure.code === 'EACCES')
    throw new Error(`${place} can't be opened by this user: choose one above 1023 with ${option}`);
  throw new Error(`${place} can't be opened (${failure.code}): name an address of this machine with --host`);
}
