/** What is simulated: a deployment, and the jobs that arrive in it. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Amounts } from '../../domain/dispatch/resources.ts';

/** Largest number of arrivals in one simulation: their records are kept in memory. */
export const MAX_ARRIVALS = 100_000;
/** Longest time from the first arrival to the last one. */
export const MAX_SPAN_MS = 31 * 86_400_000;
export const MAX_WORKERS = 1_000;
export const MAX_SLOTS = 10_000;

export interface WorkerOffer {
  readonly name: string;
  readonly slots: number;
  /** Undefined: those of all definitions. */
  readonly handlers: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Of which its attempts take their part. */
  readonly resources: Amounts;
}

/** Messages of the contract are in their proto3 JSON form. */
export interface Scenario {
  readonly definitions: readonly JsonObject[];
  readonly queues: readonly JsonObject[];
  readonly workers: readonly WorkerOffer[];
}

/** Names of the handlers of a definition: that of its jobs, and that which cleans up after them. */
export function handlersOf(definition: JsonObject): string[] {
  const { task } = definition as { task?: { handler?: string; cleanupHandler?: string } };
  return [task?.handler || String(definition.name), task?.cleanupHandler ?? ''].filter(Boolean);
}

/** A job that comes. Times in ms. */
export interface Arrival {
  /** Where it stands in its file. */
  readonly line: number;
  /** Since the first arrival, or the beginning of the file's time. */
  readonly atMs: number;
  readonly definition: string;
  /** Empty: the definition's. */
  readonly queue: string;
  /** Undefined: the definition's. */
  readonly priority: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: what the definition's expressions give; empty: none. */
  readonly fairnessKey: string | undefined;
  readonly limitKey: string | undefined;
  readonly input: JsonValue | undefined;
  readonly delayMs: number;
  /** How long each of its attempts runs. */
  readonly runMs: number;
  /** Attempts that fail before one succeeds; infinite: all. */
  readonly failures: number;
  readonly failureType: string;
}

/** Something that the scenario or an arrival says was refused, as the server would have refused it. */
export class SimulationRefusal extends Error {
  /** One a line: field and reason. */
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'SimulationRefusal';
    this.details = details;
  }
}
