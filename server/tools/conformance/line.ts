/** A TCP line between the worker and a server of the kit, which can be broken on command. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Line {
  readonly #targetPort: number;
  readonly #pairs = new Set<readonly [worker: Socket, server: Socket]>();
  readonly #onReceived: (text: string) => void;
  readonly #server: Server;
  #port = 0;
  /** Delay of the server's data in milliseconds. */
  delayMs = 0;
  /** When `cutAfter` broke the connection. */
  cutAt: number | undefined;
  #leftBytes = Number.POSITIVE_INFINITY;
  #isDead = false;
  #isShut = false;
  /** Number of connections accepted so far. */
  accepted = 0;

  private constructor(targetPort: number, onReceived: (text: string) => void) {
    this.#targetPort = targetPort;
    this.#onReceived = onReceived;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /**
   * Listens on a free port of the loopback.
   *
   * @param onReceived Called with the worker's data, as Latin-1.
   */
  static async open(targetPort: number, onReceived: (text: string) => void = () => {}): Promise<Line> {
    const line = new Line(targetPort, onReceived);
    await line.#listen();
    return line;
  }

  get port(): number {
    return this.#port;
  }

  /** Resets every connection. New ones are accepted. */
  cut(): void {
    for (const [worker, server] of this.#pairs) {
      worker.resetAndDestroy();
      server.destroy();
    }
  }

  /** As `cut`, after this number of further bytes from the worker. */
  cutAfter(bytes: number): void {
    this.#leftBytes = bytes;
    this.cutAt = undefined;
  }

  /** From now on no data passes, although connections stay open and new ones are accepted. */
  die(): void {
    this.#isDead = true;
  }

  /** Resets the connections that lost data; from now on all data passes. */
  revive(): void {
    this.#isDead = false;
    this.cut();
  }

  /**
   * Resets every connection, and new ones at once. The port stays open, because another process could take a closed
   * one.
   */
  shut(): void {
    this.#isShut = true;
    this.cut();
  }

  /** Accepts connections again. */
  reopen(): void {
    this.#isShut = false;
  }

  /** Permanently. May be repeated. */
  async close(): Promise<void> {
    this.cut();
    if (!this.#server.listening) return;
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
      this.cut();
    });
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  #accept(worker: Socket): void {
    if (this.#isShut) {
      worker.on('error', () => {}).resetAndDestroy();
      return;
    }
    this.accepted++;
    const server = connect({ host: '127.0.0.1', port: this.#targetPort });
    const pair = [worker, server] as const;
    this.#pairs.add(pair);
    worker.setNoDelay(true);
    server.setNoDelay(true);
    worker.on('data', (bytes) => {
      this.#onReceived(bytes.toString('latin1'));
      if (!this.#isDead) this.#toServer(server, bytes);
    });
    server.on('data', (bytes) => this.#toWorker(worker, bytes));
    const end = () => {
      this.#pairs.delete(pair);
      worker.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
  }

  #toServer(server: Socket, bytes: Buffer): void {
    this.#leftBytes -= bytes.length;
    if (this.#leftBytes > 0) {
      server.write(bytes);
      return;
    }
    this.#leftBytes = Number.POSITIVE_INFINITY;
    this.cutAt = performance.now();
    this.cut();
  }

  /** Delayed data keeps its order: timers with equal delays fire in the order in which they were set. */
  #toWorker(worker: Socket, bytes: Buffer): void {
    if (this.#isDead) return;
    if (this.delayMs === 0) worker.write(bytes);
    else setTimeout(() => worker.destroyed || worker.write(bytes), this.delayMs);
  }
}
