/** Labels of jobs by lane, in bounded number: user-chosen names must not flood the monitoring. */
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

/** A value per combination of names, created once and shared by all its lanes. */
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

  /** For a lane beyond the bound, or an unknown one, a shared value. */
  of(laneId: number): T {
    const kept = this.#byLane.get(laneId) ?? this.#other;
    if (kept) return kept;
    this.#other = this.#make(others);
    return this.#other;
  }
}
