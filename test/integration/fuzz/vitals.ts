/** Whether a replica is healthy after random input: it answers on both ports, and has kept little memory. */
import { expect } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import { frame, rawCall } from '../api/base/raw-http2.ts';
import type { World } from '../api/base/world.ts';

/** Above the growth by the test's own requests and the engine's slack; a leak of the input would be far more. */
const MAX_GROWTH_BYTES = 512 << 20;

export class Vitals {
  readonly #world: World;
  readonly #rss = process.memoryUsage().rss;

  constructor(world: World) {
    this.#world = world;
  }

  /** The replica runs in this process: `World` checks that it lives, and that no rejection was unhandled. */
  async check(): Promise<void> {
    const { grpcAddress, httpAddress } = this.#world.replica;
    const health = await rawCall(grpcAddress, '/grpc.health.v1.Health/Check', frame(new Uint8Array()));
    expect([health.code, health.body.at(-1)]).toEqual([Code.OK, 1]);
    const ready = await fetch(`${httpAddress}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'ready' })]);
    expect(process.memoryUsage().rss - this.#rss).toBeLessThan(MAX_GROWTH_BYTES);
  }
}
