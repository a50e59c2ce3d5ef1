/**
 * A worker's own route to the replicas, which can be stalled while all other clients get through. The bus has another
 * route.
 */
import type { ReplicaProcess } from './replica-process.ts';
import { TcpProxy } from './tcp-proxy.ts';

export class Line {
  readonly #proxies: readonly TcpProxy[];

  private constructor(proxies: readonly TcpProxy[]) {
    this.#proxies = proxies;
  }

  static async to(replicas: readonly ReplicaProcess[]): Promise<Line> {
    const proxies = await Promise.all(replicas.map(() => TcpProxy.open()));
    for (const [i, proxy] of proxies.entries()) proxy.aim(replicas[i]?.proxy.port);
    return new Line(proxies);
  }

  get ports(): number[] {
    return this.#proxies.map(({ port }) => port);
  }

  get address(): string {
    return addressOf(this.ports);
  }

  stall(): void {
    for (const proxy of this.#proxies) proxy.stall();
  }

  resume(): void {
    for (const proxy of this.#proxies) proxy.resume();
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}

/** A gRPC target of several loopback ports: calls use them in turn. */
export function addressOf(ports: readonly number[]): string {
  return `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
}
