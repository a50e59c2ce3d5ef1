/** The limits of a scenario, and which workers may run which jobs, for the timeline. */
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { DemandsSchema } from '@muster-jobs/sdk/gen/muster/v1/placement_pb';
import { Violations } from '../../../api/base/violations.ts';
import { demandsFrom } from '../../../api/dispatch/convert-demands.ts';
import type { Demands } from '../../../domain/dispatch/demands.ts';
import { meets } from '../../../domain/dispatch/placement.ts';
import { handlersOf, type Scenario } from '../scenario.ts';

export interface DefinitionLimits {
  /** Infinite: no limit; also for the other fields. */
  readonly most: number;
  readonly mostOfKey: number;
  /** All of its jobs share one key. */
  readonly hasOneKey: boolean;
  readonly hasRate: boolean;
  /** Indexes of the workers that may run its jobs. */
  readonly workers: readonly number[];
}

export interface QueueLimits {
  readonly most: number;
  readonly hasRate: boolean;
}

export interface Limits {
  readonly queues: ReadonlyMap<string, QueueLimits>;
  readonly definitions: ReadonlyMap<string, DefinitionLimits>;
}

const mostOf = ({ maxConcurrency }: JsonObject) => Number(maxConcurrency ?? 0) || Number.POSITIVE_INFINITY;

/** Demands were checked when the definition was applied. */
function demandsOf({ demands = {} }: JsonObject): Demands {
  return demandsFrom(fromJson(DemandsSchema, demands), 'demands', new Violations()) ?? { labels: {} };
}

export function limitsOf({ definitions, queues, workers }: Scenario): Limits {
  const workersFor = (definition: JsonObject) => {
    const [handler = ''] = handlersOf(definition);
    const demands = demandsOf(definition);
    return workers.flatMap((worker, at) =>
      meets(worker, demands) && (worker.handlers?.includes(handler) ?? true) ? [at] : [],
    );
  };
  const ofDefinition = (definition: JsonObject): DefinitionLimits => {
    const keyLimit = (definition.keyLimit ?? {}) as JsonObject;
    return {
      most: mostOf(definition),
      mostOfKey: mostOf(keyLimit),
      hasOneKey: definition.keyLimit !== undefined && !keyLimit.key,
      hasRate: definition.rateLimit !== undefined || keyLimit.rateLimit !== undefined,
      workers: workersFor(definition),
    };
  };
  return {
    queues: new Map(
      queues.map((one) => [String(one.name), { most: mostOf(one), hasRate: one.rateLimit !== undefined }]),
    ),
    definitions: new Map(definitions.map((one) => [String(one.name), ofDefinition(one)])),
  };
}
