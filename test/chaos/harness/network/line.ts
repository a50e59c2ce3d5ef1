/**
 * A worker's own route to the replicas, which can be stalled while all other clients get through. The bus has another
 * route.
 */
import type { ReplicaProcess } from '../replica-process.ts';
import { TcpProxy } from './tcp-proxy.ts';

export class Line {
  readonly #proxies: readonly TcpProxy[];
  /** Leads each connection to another replica. */
  readonly #door: TcpProxy;

  private constructor(proxies: readonly TcpProxy[], door: TcpProxy) {
    this.#proxies = proxies;
    this.#door = door;
  }

  static async to(replicas: readonly ReplicaProcess[]): Promise<Line> {
    const proxies = await Promise.all(replicas.map(() => TcpProxy.open()));
    for (const [i, proxy] of proxies.entries()) proxy.aim(replicas[i]?.proxy.port);
    const door = await TcpProxy.open();
    let connections = 0;
    door.aim(() => proxies[connections++ % proxies.length]?.port);
    return new Line(proxies, door);
  }

  get ports(): number[] {
    return [...this.#proxies, this.#door].map(({ port }) => port);
  }

  /** For clients that know all replicas. */
  get address(): string {
    return addressOf(this.#proxies.map(({ port }) => port));
  }

  /** For clients that know one address, as of a load balancer. */
  get sharedAddress(): string {
    return `127.0.0.1:${this.#door.port}`;
  }

  /** The part of it to the nth replica, which only this worker uses. */
  to(n: number): TcpProxy {
    const proxy = this.#proxies[n];
    if (!proxy) throw new Error(`there is no replica ${n}`);
    return proxy;
  }

  stall(): void {
    for (const proxy of this.#proxies) proxy.stall();
  }

  resume(): void {
    for (const proxy of this.#proxies) proxy.resume();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies, this.#door].map((proxy) => proxy.close()));
  }
}

/** A gRPC target of several loopback ports: calls use them in turn. */
export function addressOf(ports: readonly number[]): string {
  return `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
}
