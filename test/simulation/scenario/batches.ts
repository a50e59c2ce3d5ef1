/** The batches of one simulation: who fills them, when they are sealed, and how they end. */
import type { Prng } from '../../../server/tools/simulate/prng.ts';
import type { HandlerScript } from '../nodes/handler-script.ts';
import type { PlannedAct } from './acts.ts';
import { type FlowShape, scriptOf } from './flows.ts';

export interface PlannedMember {
  readonly definition: string;
  readonly script: HandlerScript;
  readonly delayMs: number | undefined;
}

/** One call of SubmitJobs, that many ms after the creation of the batch. */
export interface PlannedFill {
  readonly name: string;
  readonly afterMs: number;
  readonly members: readonly PlannedMember[];
}

export interface PlannedBatch {
  readonly name: string;
  readonly at: number;
  /** Maximum number of failed members; `NONE`: none, but all run. */
  readonly policy: 'NONE' | 'ANY' | number;
  readonly fills: readonly PlannedFill[];
  /** Some members may be submitted after it. */
  readonly sealMs: number;
  readonly cancelMs: number | undefined;
  /** When a user cancels one of its members. */
  readonly meddleMs: number | undefined;
  readonly callback: HandlerScript | undefined;
  readonly acts: readonly PlannedAct[];
}

function fillsOf(random: Prng, batch: string, leaseMs: number): PlannedFill[] {
  return Array.from({ length: random.int(1, 4) }, (_, call) => {
    const name = `${batch}-${call}`;
    return {
      name,
      afterMs: random.chance(0.5) ? random.between(0, 20) : random.between(0, 0.5 * leaseMs),
      members: Array.from({ length: random.int(1, 4) }, (_, i) => ({
        definition: random.pick(['plain', 'plain', 'timed', 'tidy']),
        script: scriptOf(random, `${name}.${i}`, leaseMs),
        delayMs: random.chance(0.1) ? random.between(1, 500) : undefined,
      })),
    };
  });
}

export function planBatches(random: Prng, { until, leaseMs }: FlowShape): PlannedBatch[] {
  return Array.from({ length: random.pick([0, 1, 1]) }, (_, i) => {
    const name = `batch-${i}`;
    const fills = fillsOf(random, name, leaseMs);
    const last = Math.max(...fills.map(({ afterMs }) => afterMs));
    return {
      name,
      at: random.between(0, 0.8) * until,
      policy: random.pick(['NONE', 'ANY', 0, 1, 2] as const),
      fills,
      sealMs: random.chance(0.3) ? random.between(0, last) : last + random.between(0, 300),
      cancelMs: random.chance(0.2) ? random.between(0, leaseMs) : undefined,
      meddleMs: random.chance(0.4) ? last + random.between(1, 100) : undefined,
      acts: [],
      callback: random.chance(0.8) ? { ...scriptOf(random, `${name}-callback`, leaseMs), kills: false } : undefined,
    };
  });
}
