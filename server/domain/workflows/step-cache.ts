/** Results of earlier jobs that steps take in place of jobs of their own: which are alike, which are fresh, and which steps may. */

import type { Payload } from '../base/payload.ts';
import type { JobDefinition } from '../definitions/definition.ts';
import { keyOfInput } from '../jobs/input-key.ts';
import type { Problems } from './checks/problems.ts';
import type { MadeFrom } from './made-from.ts';
import type { EndedStepState } from './step-state.ts';
import type { StepCache, WorkflowStep } from './workflow.ts';

/** What a step's job would be made from. */
export interface CachedFrom {
  readonly namespace: string;
  readonly definition: string;
  /** As it was resolved; never 0. */
  readonly version: number;
}

/** What a key is the hash of: the text, and the bytes behind it. */
export interface CacheKeyOrigin {
  readonly text: string;
  readonly bytes?: Uint8Array;
}

/**
 * Equal for jobs that are alike, and only for them. JSON counts by its value, all else byte by byte. `input` and `key`: what the
 * payload is; the same value is not the same as one and as the other.
 */
export function cacheKeyOrigin(
  { namespace, definition, version }: CachedFrom,
  kind: 'input' | 'key',
  payload: Payload,
): CacheKeyOrigin {
  const { text, bytes } = keyOfInput(payload);
  const metadata = Object.entries(payload.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  // Of JSON no content type and the one of JSON are the same.
  const contentType = bytes ? payload.contentType : '';
  const head = JSON.stringify([namespace, definition, version, kind, contentType, metadata]);
  return { text: `${head}${text}`, ...(bytes ? { bytes } : {}) };
}

/** An earlier job that has succeeded. */
export interface CachedResult {
  readonly jobId: string;
  readonly endTimeUs: number;
  /** How long those that kept it wanted it kept. */
  readonly untilUs: number;
}

/** Whether a step may take it: it is young enough for the step, and for those that kept it. */
export function isFresh({ maxAgeMs }: StepCache, { endTimeUs, untilUs }: CachedResult, nowUs: number): boolean {
  return nowUs < untilUs && nowUs < endTimeUs + maxAgeMs * 1_000;
}

/** Whether what a step's job gave is kept for others. A failure may be over by the next time. */
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
        `is set at a step of the role ${role}, which has to run each time; only steps of the work (NORMAL) have one`,
      );
    if (fanOut) problems.add(place, 'is set beside fan_out; give each item a workflow whose step has it');
    if (loop)
      problems.add(
        place,
        'is set beside loop; put the loop into a workflow, and the cache at the step that is made from it',
      );
    if (compensation)
      problems.add(
        place,
        'is set beside compensation; what an earlier job has done is not for this workflow to undo, so leave out one of the two',
      );
  }
}

/** Of what the steps are made from, as far as it is known. */
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
        `is set, and ${step.definition} is a wait: what came once does not stand for what is to come; leave it out`,
      );
}
