/** Errors for an attempt that may not submit these children. */
import { MAX_CHILDREN, MAX_DEPTH } from '../../domain/dependencies/children.ts';
import { EngineError } from '../base/errors.ts';
import type { ParentAttempt } from '../ports/dependencies.ts';

export function childrenRefused({ jobId, attempt }: ParentAttempt, why: 'CLOSED' | 'FULL' | 'TOO_DEEP'): EngineError {
  const facts = { field: 'parent', metadata: { job_id: jobId, attempt: String(attempt) } };
  switch (why) {
    case 'CLOSED':
      return new EngineError(
        'PARENT_ATTEMPT_CLOSED',
        `parent: attempt ${attempt} of job ${jobId} is not open in that session: its handler has to stop`,
        facts,
      );
    case 'FULL':
      return new EngineError(
        'TOO_MANY_CHILDREN',
        `parent: job ${jobId} may have ${MAX_CHILDREN} children; let children submit the rest, or use a batch`,
        facts,
      );
    case 'TOO_DEEP':
      return new EngineError(
        'WORKFLOW_NESTING',
        `parent: children of job ${jobId} would be in each other more than ${MAX_DEPTH} deep`,
        facts,
      );
  }
}
