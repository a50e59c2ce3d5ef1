/** A TCP proxy with a constant address: its target can be replaced, cut off, stalled, slowed, parted or answered in part. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Direction, Link } from './link.ts';
import { Partition } from './partition.ts';
import type { Pace } from './passage.ts';

/** A loopback port, or what chooses one for each connection; undefined: connections are refused. */
export type Target = number | (() => number | undefined) | undefined;

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #partitions = new Set<Partition>();
  #target: Target;
  #stalled = false;
  #pace: Pace = { delayMs: 0, bytesPerSecond: Number.POSITIVE_INFINITY };

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
    server.on('connection', (client) => this.#accept(client));
  }

  static open(): Promise<TcpProxy> {
    return new Promise((resolve, reject) => {
      const server = createServer({ allowHalfOpen: false });
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(new TcpProxy(server)));
    });
  }

  /** Directs new connections there. */
  aim(target: Target): void {
    this.#target = target;
  }

  get target(): Target {
    return this.#target;
  }

  get connections(): number {
    return this.#links.size;
  }

  /** Breaks every connection. Returns how many there were. */
  cut(): number {
    const { size } = this.#links;
    for (const link of this.#links) link.destroy();
    for (const partition of this.#partitions) partition.cut();
    return size;
  }

  /** Breaks every connection after that many more bytes of answers, probably in the middle of one. */
  cutAfter(bytes: number): void {
    for (const link of this.#links) link.cutAfter(bytes);
  }

  /** Nothing passes in either direction, and no end gets an error. */
  stall(): void {
    this.#stalled = true;
    for (const link of this.#links) link.hold();
  }

  resume(): void {
    this.#stalled = false;
    for (const link of this.#links) link.resume();
  }

  /** Slows every connection, in either direction. Left out: no delay, any number of bytes. */
  slow({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }: Partial<Pace> = {}): void {
    this.#pace = { delayMs, bytesPerSecond };
  }

  /**
   * Parts the server from clients until the partition is healed.
   * @param clients Gives the ports at which their connections begin. Default: all clients.
   */
  part(directions: readonly Direction[], clients?: () => ReadonlySet<number>): Partition {
    const isOf = (ports: ReadonlySet<number> | undefined, port = Number.NaN) => ports?.has(port) ?? true;
    const ports = clients?.();
    const partition: Partition = new Partition({
      links: [...this.#links].filter(({ clientPort }) => isOf(ports, clientPort)),
      directions,
      isMeant: ({ remotePort }) => isOf(clients?.(), remotePort),
      onHeal: (waiting) => {
        this.#partitions.delete(partition);
        for (const client of waiting) this.#accept(client);
      },
    });
    this.#partitions.add(partition);
    return partition;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    if ([...this.#partitions].some((partition) => partition.keepsOut(client))) return;
    const port = typeof this.#target === 'function' ? this.#target() : this.#target;
    if (port === undefined) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port, noDelay: true });
    client.setNoDelay(true);
    const link: Link = new Link({
      client,
      server,
      pace: () => this.#pace,
      isStalled: () => this.#stalled,
      onEnd: () => this.#links.delete(link),
    });
    this.#links.add(link);
    if (this.#stalled) link.hold();
  }
}
