/** The fleet of a segment: workers with records, and two conformance workers of other SDKs, which the seed draws. */
import { build, lackOfWorker, sdkWorkers } from '../../bench/sdk-workers.ts';
import type { Dice } from '../harness/dice.ts';
import type { WorkerPlan } from '../harness/worker-process.ts';

const OTHERS_PER_SEGMENT = 2;
const exec = { language: 'exec', command: ['workers/conformance-exec/run'] as const };
const compiled = sdkWorkers.filter((worker) => worker.build).map((worker) => ({ ...worker, ...worker.tested }));
const others = [...compiled, exec];

/** Builds what this machine can build. */
export function buildFleet(log: (line: string) => void): void {
  for (const worker of compiled) {
    if (lackOfWorker(worker)) continue;
    log(`building the worker in ${worker.language}`);
    build(worker);
  }
}

export interface Fleet {
  readonly plans: readonly WorkerPlan[];
  /** Why a worker that was drawn does not run on this machine. */
  readonly lacks: readonly string[];
}

/**
 * The choice does not depend on the machine.
 * @param checkout Of the workers with records.
 */
export function fleetOf(dice: Dice, checkout?: string): Fleet {
  const drawn = dice.shuffled(others).slice(0, OTHERS_PER_SEGMENT);
  const runnable = drawn.filter((worker) => !lackOfWorker(worker));
  const from = checkout === undefined ? {} : { checkout };
  return {
    plans: [
      { name: 'ts-one', language: 'typescript', slots: 12, ...from },
      { name: 'ts-two', language: 'typescript', slots: 12, ...from },
      { name: 'python', language: 'python', slots: 8, ...from },
      ...runnable.map(({ language, command }) => ({ name: language.toLowerCase(), language: { command }, slots: 6 })),
    ],
    lacks: drawn.flatMap((worker) => {
      const lack = lackOfWorker(worker);
      return lack ? [`the worker in ${worker.language}: ${lack}`] : [];
    }),
  };
}
