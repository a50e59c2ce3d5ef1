/** Labels of jobs by their lane, in bounded number: names that people make up must not fill the monitoring. */
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import { mostNames, OTHER } from './catalogue.ts';

export interface JobLabels {
  readonly 'muster.namespace': string;
  readonly 'muster.queue': string;
  readonly 'muster.definition': string;
}

type LaneNames = Pick<LaneKey, 'namespace' | 'queue' | 'definition'>;

function labelsOf({ namespace, queue, definition }: LaneNames): JobLabels {
  return { 'muster.namespace': namespace, 'muster.queue': queue, 'muster.definition': definition };
}

const others = labelsOf({ namespace: OTHER, queue: OTHER, definition: OTHER });

/** What is kept for each triple of names: made once, the same for all lanes that share it. */
export class ByLane<T> {
  readonly #make: (labels: JobLabels) => T;
  readonly #byNames = new Map<string, T>();
  readonly #byLane = new Map<number, T>();
  #other: T | undefined;

  constructor(make: (labels: JobLabels) => T) {
    this.#make = make;
  }

  learn(laneId: number, names: LaneNames): void {
    const key = `${names.namespace}/${names.queue}/${names.definition}`;
    let kept = this.#byNames.get(key);
    if (!kept && this.#byNames.size < mostNames.jobs) {
      kept = this.#make(labelsOf(names));
      this.#byNames.set(key, kept);
    }
    if (kept) this.#byLane.set(laneId, kept);
  }

  /** Of a lane that came after the bound was reached, or that is not known: what all of these share. */
  of(laneId: number): T {
    const kept = this.#byLane.get(laneId) ?? this.#other;
    if (kept) return kept;
    this.#other = this.#make(others);
    return this.#other;
  }
}
