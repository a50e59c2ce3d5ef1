/** What a measure is, and how large it is taken. */
import type { Peer } from './peer.ts';
import type { RunningPeer } from './running-peer.ts';

export interface Scale {
  /** Repeats of what differs from run to run; medians are taken. */
  readonly rounds: number;
  /** How long a rate is measured for, about, in seconds. */
  readonly seconds: number;
  /** Of a latency. */
  readonly samples: number;
  /** Longest time for the samples of one latency, in seconds. */
  readonly latencySeconds: number;
  /** Jobs that wait when the cost of a backlog is measured, and the longest time for submitting them, in seconds. */
  readonly backlog: number;
  readonly backlogSeconds: number;
  /** How long a killed worker is waited for, in seconds. */
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

/** A number that a measure gives for each peer. */
export interface Column {
  readonly title: string;
  readonly unit: 'jobs/s' | 'ms' | 's' | 'jobs' | 'µs';
  /** Which of two values is better; none: it only explains the others, and no ratio is made of it. */
  readonly better?: 'higher' | 'lower';
}

/** By the keys of the measure's columns. */
export type Values = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  readonly title: string;
  /** By key; the first is the one that counts. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Whether it is repeated. */
  readonly repeated?: true;
  /** Whether all peers are measured at once, since it only waits. */
  readonly together?: true;
  /** Why the peer can't be measured so; undefined: it can. */
  unable?(peer: Peer): string | undefined;
  /**
   * Takes the measure on a peer that has been started on an empty store, without a worker.
   *
   * @param progress Told in a few words what is being done.
   */
  run(running: RunningPeer, scale: Scale, progress: (text: string) => void): Promise<Values>;
}
