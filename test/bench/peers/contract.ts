/**
 * Messages between the benchmark and the programs of the peers: one JSON object per line, requests on stdin, replies
 * and events on stdout, the same in every language. `time` and `sent` are milliseconds since 1970 on this machine's
 * clock.
 */

/**
 * What a job does. `nothing` returns at once; `clock` records how long it waited since `sent`; `sleep` takes `ms`;
 * `hold` reports that it has started, and runs until it is asked to stop.
 */
export type Kind = 'nothing' | 'clock' | 'sleep' | 'hold';

/** The payload of every job. */
export interface Work {
  readonly kind: Kind;
  /** Milliseconds since 1970 at which the job was due to be submitted. */
  readonly sent: number;
  /** Duration of a `sleep`, in milliseconds. */
  readonly ms: number;
  /** Gives the payload a typical length. */
  readonly text: string;
}

/** The queue of the jobs, and what they do. */
export interface Target {
  readonly queue: string;
  readonly kind: Kind;
  readonly ms?: number;
}

/** Submits `count` jobs in calls of `batch`, `width` calls at a time. */
export interface SubmitMany extends Target {
  readonly do: 'submitMany';
  readonly count: number;
  readonly batch: number;
  readonly width: number;
}

/** Submits `rate` jobs per second for `seconds`, even when the peer is slower. `sent` is the due time of each job. */
export interface SubmitSteadily extends Target {
  readonly do: 'submitSteadily';
  readonly rate: number;
  readonly seconds: number;
}

export type ProducerRequest =
  | SubmitMany
  | SubmitSteadily
  | (Target & { readonly do: 'submit' })
  | { readonly do: 'cancel'; readonly job: string; readonly queue: string }
  | { readonly do: 'open'; readonly queues: readonly string[] };

/** The jobs in the peer's store. */
export interface OpenJobs {
  /** Jobs that have not ended, whether they wait or run. */
  readonly open: number;
  /** Jobs that have failed for good, if the peer distinguishes them. */
  readonly failed: number;
}

export interface Submitted {
  readonly job: string;
  /** When the call was made. */
  readonly sent: number;
}

export interface ProducerReplies {
  readonly submitMany: { readonly submitted: number };
  readonly submitSteadily: { readonly submitted: number };
  readonly submit: Submitted;
  readonly cancel: { readonly sent: number };
  readonly open: OpenJobs;
}

/** A reply has the number of its request, and either a result or an error. */
export interface Reply {
  readonly id: number;
  readonly ok?: unknown;
  readonly error?: string;
}

export type PeerEvent =
  | { readonly event: 'ready' }
  /** Handlers that have ended in this process so far. */
  | { readonly event: 'handled'; readonly handled: number }
  /** How long `clock` jobs waited, in milliseconds. */
  | { readonly event: 'waits'; readonly waits: readonly number[] }
  /** A `hold` job. */
  | { readonly event: 'started' | 'stopped'; readonly time: number };
