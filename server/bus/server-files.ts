/** The embedded server's files: its configuration, its fixed port, and its own status files. */
import { mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trust } from './trust.ts';

export interface ServerFiles {
  readonly folder: string;
  readonly config: string;
  readonly pid: string;
  readonly port: string;
}

export interface ServerSettings {
  readonly serverName: string;
  /** Undefined: the server takes a free port. */
  readonly port: number | undefined;
}

/** Largest message that the embedded server takes, in bytes. */
export const embeddedMaxPayload = 2 * 1024 * 1024;

/** Maximum disk and memory of all streams, in bytes; the events' stream limits itself to a part of it. */
const embeddedMaxStore = 1024 * 1024 * 1024;
const embeddedMaxMemory = 64 * 1024 * 1024;

/** Creates the folder (mode 0700) if it is missing. Paths are resolved, as they appear in a process's arguments. */
export async function prepareFolder(path: string): Promise<ServerFiles> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const folder = await realpath(path);
  return {
    folder,
    config: join(folder, 'nats-server.conf'),
    pid: join(folder, 'nats-server.pid'),
    port: join(folder, 'port'),
  };
}

/** Writes the configuration as JSON, which nats-server accepts. */
export async function writeConfig(files: ServerFiles, trust: Trust, settings: ServerSettings): Promise<void> {
  const config = {
    server_name: settings.serverName,
    host: '127.0.0.1',
    port: settings.port ?? -1,
    max_payload: embeddedMaxPayload,
    operator: trust.operatorJwt,
    resolver: 'MEMORY',
    resolver_preload: { [trust.accountId]: trust.accountJwt, [trust.systemId]: trust.systemJwt },
    system_account: trust.systemId,
    jetstream: {
      // The server creates a folder `jetstream` in it.
      store_dir: files.folder,
      max_file_store: embeddedMaxStore,
      max_memory_store: embeddedMaxMemory,
    },
    pid_file: files.pid,
    ports_file_dir: files.folder,
  };
  // Removed first: overwriting would keep the mode of an existing file.
  await rm(files.config, { force: true });
  await writeFile(files.config, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
}

/** The port of the last run, or undefined. */
export async function readKeptPort(files: ServerFiles): Promise<number | undefined> {
  const port = Number(await readFile(files.port, 'utf8').catch(() => ''));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
}

export async function keepPort(files: ServerFiles, port: number): Promise<void> {
  await writeFile(files.port, `${port}\n`, { mode: 0o600 });
}

/** The pid that a server wrote. That process may have ended, and the pid may belong to another one. */
export async function readPid(files: ServerFiles): Promise<number | undefined> {
  const pid = Number(await readFile(files.pid, 'utf8').catch(() => ''));
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
}

/** The port that the server with this pid listens on, once it has written it to its file. */
export async function readBoundPort(files: ServerFiles, pid: number): Promise<number | undefined> {
  const name = (await readdir(files.folder).catch(() => [])).find((file) => file.endsWith(`_${pid}.ports`));
  if (!name) return undefined;
  const text = await readFile(join(files.folder, name), 'utf8').catch(() => '');
  const port = Number(/"nats":\["nats:\/\/[^"]*:(\d+)"/.exec(text)?.[1]);
  return Number.isInteger(port) ? port : undefined;
}

/** Removes the status files of servers that no longer run. */
export async function removeTraces(files: ServerFiles): Promise<void> {
  const left = (await readdir(files.folder).catch(() => [])).filter((file) => file.endsWith('.ports'));
  await Promise.all(
    [files.pid, ...left.map((file) => join(files.folder, file))].map((path) => rm(path, { force: true })),
  );
}
