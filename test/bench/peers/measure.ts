/** What a measure is, and the sizes at which it is taken. */
import type { Peer } from './peer.ts';
import type { RunningPeer } from './running-peer.ts';

export interface Scale {
  /** Repeats of measures that vary from run to run. The result is the median. */
  readonly rounds: number;
  /** Approximate duration of a rate measurement, in seconds. */
  readonly seconds: number;
  /** Number of samples of a latency. */
  readonly samples: number;
  /** Maximum time for the samples of one latency, in seconds. */
  readonly latencySeconds: number;
  /** Waiting jobs for the cost of a backlog, and the maximum time to submit them, in seconds. */
  readonly backlog: number;
  readonly backlogSeconds: number;
  /** Maximum time to wait for the job of a killed worker, in seconds. */
  readonly detectionSeconds: number;
}

export const FULL: Scale = {
  rounds: 3,
  seconds: 3,
  samples: 300,
  latencySeconds: 12,
  backlog: 1_000_000,
  backlogSeconds: 90,
  detectionSeconds: 90,
};

export const QUICK: Scale = {
  rounds: 1,
  seconds: 1,
  samples: 50,
  latencySeconds: 4,
  backlog: 50_000,
  backlogSeconds: 20,
  detectionSeconds: 40,
};

/** A value that a measure has for each peer. */
export interface Column {
  readonly title: string;
  readonly unit: 'jobs/s' | 'ms' | 's' | 'jobs' | 'µs';
  /** Which of two values is better. Undefined: the value only explains the others, and gets no ratio. */
  readonly better?: 'higher' | 'lower';
}

/** By the keys of the measure's columns. */
export type Values = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  readonly title: string;
  /** By key; the first is the main value. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Whether it is repeated. */
  readonly repeated?: true;
  /** Whether all peers are measured at once, because the measure only waits. */
  readonly together?: true;
  /** Why the peer can not be measured; undefined: it can. */
  unable?(peer: Peer): string | undefined;
  /**
   * Takes the measure on a peer that was started on an empty store, without a worker.
   *
   * @param progress Called with a short text on the current activity.
   */
  run(running: RunningPeer, scale: Scale, progress: (text: string) => void): Promise<Values>;
}
