/** Owners of ports. Other processes on the machine get free ports too, and may now have one that a run has released. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTENS = '0A';

/** The `ports` on which this process listens, or a process whose files are in `folder`. */
export function listenersOf(ports: readonly number[], folder: string): number[] {
  const sockets = new Set(processesOf(folder).flatMap(socketsOf));
  const open = [...socketsThatListen()].filter(([socket]) => sockets.has(socket)).map(([, port]) => port);
  return ports.filter((port) => open.includes(port));
}

/** The inode of each listening socket, with its port. */
function socketsThatListen(): Map<string, number> {
  const lines = ['tcp', 'tcp6'].flatMap((table) =>
    attempt(() => readFileSync(`/proc/net/${table}`, 'utf8').split('\n')),
  );
  const columns = lines.map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === LISTENS);
  return new Map(columns.map(([, local = '', , , , , , , , inode = '']) => [inode, portOf(local)]));
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
