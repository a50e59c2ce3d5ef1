/** The input of a simulation: a deployment, and the jobs that arrive. */
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { Amounts } from '../../domain/dispatch/resources.ts';

/** Maximum arrivals per simulation: their records are kept in memory. */
export const MAX_ARRIVALS = 100_000;
/** Maximum time from the first arrival to the last one. */
export const MAX_SPAN_MS = 31 * 86_400_000;
export const MAX_WORKERS = 1_000;
export const MAX_SLOTS = 10_000;

export interface WorkerOffer {
  readonly name: string;
  readonly slots: number;
  /** Undefined: those of all definitions. */
  readonly handlers: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Its attempts take parts of these. */
  readonly resources: Amounts;
}

/** Messages of the contract are in their proto3 JSON form. */
export interface Scenario {
  readonly definitions: readonly JsonObject[];
  readonly queues: readonly JsonObject[];
  readonly workers: readonly WorkerOffer[];
}

/** Names of a definition's handlers: that of its jobs, and its clean-up handler. */
export function handlersOf(definition: JsonObject): string[] {
  const { task } = definition as { task?: { handler?: string; cleanupHandler?: string } };
  return [task?.handler || String(definition.name), task?.cleanupHandler ?? ''].filter(Boolean);
}

/** An arriving job. Times in ms. */
export interface Arrival {
  /** Its line in the file. */
  readonly line: number;
  /** Since the first arrival, or since the beginning of the file's time. */
  readonly atMs: number;
  readonly definition: string;
  /** Empty: the definition's. */
  readonly queue: string;
  /** Undefined: the definition's. */
  readonly priority: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Undefined: computed by the definition's expressions; empty: none. */
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

/** The server would refuse the scenario or an arrival. */
export class SimulationRefusal extends Error {
  /** One per line: field and reason. */
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.name = 'SimulationRefusal';
    this.details = details;
  }
}
