/** The clocks of the processes of a run: their wall clocks can be moved, the machine's monotonic clock is everybody's. */
import { WallClock } from '../../../../server/tools/conformance/clocks/wall-clock.ts';

const SAMPLE_MS = 3;

/** Wall clocks, one for each process. */
export class WallClocks {
  readonly replicas: readonly WallClock[];
  readonly workers: readonly WallClock[];

  private constructor(replicas: readonly WallClock[], workers: readonly WallClock[]) {
    this.replicas = replicas;
    this.workers = workers;
  }

  static async make(replicas: number, workers: number): Promise<WallClocks> {
    const first = await WallClock.make();
    if (first.lack !== undefined) throw new Error(first.lack);
    const all = [first, ...Array.from({ length: replicas + workers - 1 }, (_, n) => first.another(String(n)))];
    return new WallClocks(all.slice(0, replicas), all.slice(replicas));
  }

  reset(): void {
    for (const clock of [...this.replicas, ...this.workers]) clock.set(0);
  }

  remove(): void {
    this.replicas[0]?.remove();
  }
}

/** For a worker's records: the time of the machine's monotonic clock at 0, in ms since 1970, which no step changes. */
export function epochMs(): number {
  const end = performance.now() + SAMPLE_MS;
  let epoch = 0;
  // `Date.now` is rounded down.
  while (performance.now() < end) epoch = Math.max(epoch, Date.now() - Number(process.hrtime.bigint()) / 1e6);
  return epoch;
}
