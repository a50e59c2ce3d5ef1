/** The namespace and the id by which a request names a job. */
import { jobIdOf, namespaceOf } from '../base/checks.ts';
import type { Violations } from '../base/violations.ts';

/** Also throws the violations found so far. */
export function jobNameOf(
  request: { namespace: string; jobId: string },
  violations: Violations,
): { namespace: string; jobId: string } {
  const named = { namespace: namespaceOf(request.namespace, violations), jobId: jobIdOf(request.jobId, violations) };
  violations.throwIfAny();
  return named;
}
