/** Owners of sockets, as the kernel shows them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENS = '0A';

/**
 * The `ports` on which this process listens, or a process whose files are in `folder`. Others on the machine get free ports,
 * too, and may now have one that a run has released.
 */
export function listenersOf(ports: readonly number[], folder: string): number[] {
  const sockets = new Set(processesOf(folder).flatMap(socketsOf));
  const open = allSockets().filter(({ state, inode }) => state === LISTENS && sockets.has(inode));
  return ports.filter((port) => open.some(({ local }) => local === port));
}

/** The ports at which the connections of the processes to this one begin. */
export function clientPortsOf(pids: readonly number[], port: number): Set<number> {
  const sockets = new Set(pids.map(String).flatMap(socketsOf));
  const isTheirs = ({ remote, inode }: SocketEntry) => remote === port && sockets.has(inode);
  return new Set(
    allSockets()
      .filter(isTheirs)
      .map(({ local }) => local),
  );
}

interface SocketEntry {
  readonly local: number;
  readonly remote: number;
  readonly state: string;
  readonly inode: string;
}

function allSockets(): SocketEntry[] {
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    attempt(() => readFileSync(`/proc/net/${table}`, 'utf8').split('\n').slice(1)),
  );
  return lines.map((line) => {
    const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/\s+/);
    return { local: portOf(local), remote: portOf(remote), state, inode };
  });
}

const portOf = (address: string) => Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);

function processesOf(folder: string): string[] {
  const isOurs = (pid: string) =>
    attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).includes(`TMPDIR=${folder}`);
  return [String(process.pid), ...readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOurs(name))];
}

function socketsOf(pid: string): string[] {
  return attempt(() => readdirSync(`/proc/${pid}/fd`)).flatMap((file) => {
    const [target = ''] = attempt(() => [readlinkSync(`/proc/${pid}/fd/${file}`)]);
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
}

/** A process that has ended meanwhile has none. */
function attempt(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
