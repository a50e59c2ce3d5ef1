/** A TCP proxy with a constant address: its target can be replaced, cut off, stalled, slowed or answered in part. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Pace, Passage } from './passage.ts';

/** A loopback port, or what chooses one for each connection; undefined: connections are refused. */
export type Target = number | (() => number | undefined) | undefined;

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  /** Remaining bytes of answers before the link is cut. */
  answerBytes: number;
}

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #links = new Set<Link>();
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

  /** Breaks every connection. Returns how many there were. */
  cut(): number {
    const { size } = this.#links;
    for (const { client, server } of this.#links) {
      client.destroy();
      server.destroy();
    }
    return size;
  }

  /** Breaks every connection after that many more bytes of answers, probably in the middle of one. */
  cutAfter(bytes: number): void {
    for (const link of this.#links) link.answerBytes = Math.min(link.answerBytes, bytes);
  }

  /** Nothing passes in either direction, and no end gets an error. */
  stall(): void {
    this.#stalled = true;
    for (const link of this.#links) this.#hold(link);
  }

  resume(): void {
    this.#stalled = false;
    for (const { client, server } of this.#links) {
      client.resume();
      server.resume();
    }
  }

  /** Slows every connection, in either direction. Left out: no delay, any number of bytes. */
  slow({ delayMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }: Partial<Pace> = {}): void {
    this.#pace = { delayMs, bytesPerSecond };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }

  #accept(client: Socket): void {
    const port = typeof this.#target === 'function' ? this.#target() : this.#target;
    if (port === undefined) {
      client.destroy();
      return;
    }
    const server = connect({ host: '127.0.0.1', port, noDelay: true });
    client.setNoDelay(true);
    const link: Link = { client, server, answerBytes: Number.POSITIVE_INFINITY };
    this.#links.add(link);
    this.#carry(client, server);
    this.#carry(server, client, link);
    const end = () => {
      client.destroy();
      server.destroy();
      this.#links.delete(link);
    };
    for (const socket of [client, server]) {
      socket.on('error', end);
      socket.on('close', end);
    }
    if (this.#stalled) this.#hold(link);
  }

  #carry(from: Socket, to: Socket, link?: Link): void {
    const passage = new Passage({
      pace: () => this.#pace,
      pass: (bytes) => {
        if (to.destroyed) return true;
        const passing = link ? bytes.subarray(0, link.answerBytes) : bytes;
        const hasCapacity = to.write(passing);
        if (!link) return hasCapacity;
        link.answerBytes -= passing.length;
        if (link.answerBytes <= 0) from.destroy();
        return hasCapacity;
      },
      // While the proxy is stalled, nothing is read.
      resume: () => this.#stalled || from.resume(),
    });
    from.on('data', (bytes) => {
      if (!passage.add(bytes)) from.pause();
    });
    from.on('close', () => passage.end());
    to.on('drain', () => passage.isFull || this.#stalled || from.resume());
  }

  #hold({ client, server }: Link): void {
    client.pause();
    server.pause();
  }
}
