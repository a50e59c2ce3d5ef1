/**
 * The memory of the replicas over a segment. A leak is a slope; a fault that takes memory for a while, or once, is not: it
 * is fitted over the second half of a life of at least ten minutes.
 */
import type { ReplicaProcess } from '../harness/replica-process.ts';
import { megabytesOf } from '../harness/vitals.ts';

const EACH_MS = 10_000;
const MIN_MINUTES = 10;
/** A soak of eleven minutes had 1.5 and 6.1: its faults let a heap grow by tens of MB. */
const MAX_MB_PER_MINUTE = 15;

interface Sample {
  readonly minutes: number;
  readonly megabytes: number;
}

export class MemoryWatch {
  readonly #replicas: readonly ReplicaProcess[];
  /** By life. */
  readonly #samples = new Map<string, Sample[]>();
  readonly #timer: NodeJS.Timeout;

  constructor(replicas: readonly ReplicaProcess[]) {
    this.#replicas = replicas;
    this.#timer = setInterval(() => this.#sample(), EACH_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** The slope of each life that was long enough, in MB a minute. */
  slopes(): ReadonlyMap<string, number> {
    const long = [...this.#samples].filter(([, samples]) => spanOf(samples) >= MIN_MINUTES);
    return new Map(long.map(([life, samples]) => [life, slopeOf(samples.slice(samples.length / 2))]));
  }

  violations(): string[] {
    const steep = [...this.slopes()].filter(([, slope]) => slope > MAX_MB_PER_MINUTE);
    return steep.map(([life, slope]) => `the memory of ${life} rises by ${slope.toFixed(1)} MB a minute`);
  }

  #sample(): void {
    const minutes = performance.now() / 60_000;
    for (const { name, pid, lives } of this.#replicas) {
      if (pid === undefined) continue;
      const life = `${name}-${lives}`;
      const sample = { minutes, megabytes: megabytesOf(pid) };
      this.#samples.set(life, [...(this.#samples.get(life) ?? []), sample]);
    }
  }
}

const spanOf = (samples: readonly Sample[]) => (samples.at(-1)?.minutes ?? 0) - (samples[0]?.minutes ?? 0);

/** Least squares. */
function slopeOf(samples: readonly Sample[]): number {
  const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [time, memory] = [meanOf(samples.map((s) => s.minutes)), meanOf(samples.map((s) => s.megabytes))];
  const covariance = meanOf(samples.map((s) => (s.minutes - time) * (s.megabytes - memory)));
  return covariance / meanOf(samples.map((s) => (s.minutes - time) ** 2));
}
