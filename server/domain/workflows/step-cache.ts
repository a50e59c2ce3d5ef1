/**
 * Results of earlier jobs that steps reuse instead of running a job: which match, which are fresh, and which steps may
 * do so.
 */

import type { Payload } from '../base/payload.ts';
import type { JobDefinition } from '../definitions/definition.ts';
import { keyOfInput } from '../jobs/input-key.ts';
import type { Problems } from './checks/problems.ts';
import type { MadeFrom } from './made-from.ts';
import type { EndedStepState } from './step-state.ts';
import type { StepCache, WorkflowStep } from './workflow.ts';

/** The definition of a step's job. */
export interface CachedFrom {
  readonly namespace: string;
  readonly definition: string;
  /** The resolved version; never 0. */
  readonly version: number;
}

/** The key is the hash of the text, followed by the bytes. */
export interface CacheKeyOrigin {
  readonly text: string;
  readonly bytes?: Uint8Array;
}

/**
 * Equal for matching jobs, and only for them. JSON is compared by value, anything else byte by byte. `kind` says
 * whether the payload is the input or a key: equal values of different kinds do not match.
 */
export function cacheKeyOrigin(
  { namespace, definition, version }: CachedFrom,
  kind: 'input' | 'key',
  payload: Payload,
): CacheKeyOrigin {
  const { text, bytes } = keyOfInput(payload);
  const metadata = Object.entries(payload.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  // For JSON, an empty content type and JSON's own are equivalent.
  const contentType = bytes ? payload.contentType : '';
  const head = JSON.stringify([namespace, definition, version, kind, contentType, metadata]);
  return { text: `${head}${text}`, ...(bytes ? { bytes } : {}) };
}

/** An earlier job that has succeeded. */
export interface CachedResult {
  readonly jobId: string;
  readonly endTimeUs: number;
  /** End of the retention that the steps which stored it asked for. */
  readonly untilUs: number;
}

/**
 * Whether a step may reuse it: it is young enough for the step, and for those that stored it. One from the future is
 * not: its age is unknown, since the clock has stepped.
 */
export function isFresh({ maxAgeMs }: StepCache, { endTimeUs, untilUs }: CachedResult, nowUs: number): boolean {
  return endTimeUs <= nowUs && nowUs < untilUs && nowUs < endTimeUs + maxAgeMs * 1_000;
}

/** Whether a step's result is kept for others. Failures are not: they may not happen again. */
export function isKept(state: EndedStepState): boolean {
  return state === 'SUCCEEDED';
}

export function checkCaches(steps: readonly WorkflowStep[], field: string, problems: Problems): void {
  for (const [i, { cache, role, fanOut, loop, compensation }] of steps.entries()) {
    if (!cache) continue;
    const place = `${field}[${i}].cache`;
    if (role !== 'NORMAL')
      problems.add(
        place,
        `is set at a step of the role ${role}, which must always run; only steps of the work (NORMAL) have one`,
      );
    if (fanOut) problems.add(place, 'is set together with fan_out; give each item a workflow whose step has it');
    if (loop)
      problems.add(
        place,
        'is set together with loop; put the loop into a workflow of its own, and set the cache on the step that runs it',
      );
    if (compensation)
      problems.add(
        place,
        'is set together with compensation; this workflow must not undo what an earlier job has done; leave out one of the two',
      );
  }
}

/** `definitionOf`: the definition of a step, if known. */
export function reportCachedWaits(
  steps: readonly WorkflowStep[],
  definitionOf: (step: MadeFrom) => Pick<JobDefinition, 'wait'> | undefined,
  field: string,
  problems: Problems,
): void {
  for (const [i, step] of steps.entries())
    if (step.cache && definitionOf(step)?.wait)
      problems.add(
        `${field}[${i}].cache`,
        `is set, and ${step.definition} is a wait: an earlier event or approval does not replace the next one; leave it out`,
      );
}
