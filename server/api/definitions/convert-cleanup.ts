/** Converts the clean-up of a task between the contract and the core. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  CleanupCondition,
  type TaskBodySchema,
  type JobDefinition as WireDefinition,
} from '@muster-jobs/sdk/gen/muster/v1/job_definition_pb';
import { type DefinedCleanup, definitionDefaults, type JobDefinition } from '../../domain/definitions/definition.ts';
import { checkDottedName, durationMs, isKnown } from '../base/checks.ts';
import { durationTo } from '../base/convert-payload.ts';
import type { Violations } from '../base/violations.ts';

const DAY_MS = 86_400_000;

export function cleanupFrom({ body }: WireDefinition, violations: Violations): Pick<JobDefinition, 'cleanup'> {
  if (body.case !== 'task') return {};
  const { cleanupHandler, cleanupTimeout, cleanupAfter } = body.value;
  const timeoutMs = durationMs(cleanupTimeout, 1, DAY_MS, 'definition.task.cleanup_timeout', violations);
  const isKnownEnd = isKnown(CleanupCondition, cleanupAfter);
  violations.check(isKnownEnd, 'definition.task.cleanup_after', `has the unknown value ${cleanupAfter}`);
  if (cleanupHandler === '') {
    const refuse = (isUnset: boolean, field: string) =>
      violations.check(isUnset, field, 'is set without cleanup_handler: name the handler that cleans up');
    refuse(cleanupTimeout === undefined, 'definition.task.cleanup_timeout');
    refuse(cleanupAfter === CleanupCondition.UNSPECIFIED || !isKnownEnd, 'definition.task.cleanup_after');
    return {};
  }
  checkDottedName(cleanupHandler, 'definition.task.cleanup_handler', violations);
  const cleanup = { handler: cleanupHandler, timeoutMs: timeoutMs ?? definitionDefaults.cleanupTimeoutMs };
  return { cleanup: cleanupAfter === CleanupCondition.UNSUCCESSFUL ? { ...cleanup, after: 'UNSUCCESSFUL' } : cleanup };
}

/** The fields of the task; none without a clean-up. */
export function cleanupTo(cleanup: DefinedCleanup | undefined): MessageInitShape<typeof TaskBodySchema> {
  if (!cleanup) return {};
  return {
    cleanupHandler: cleanup.handler,
    cleanupTimeout: durationTo(cleanup.timeoutMs),
    cleanupAfter: CleanupCondition[cleanup.after ?? 'CANCELLED'],
  };
}
