/** More memory for the next attempt after one that ran out of it. */

import type { Failure } from '../base/payload.ts';
import type { Demands } from '../dispatch/demands.ts';
import { MEMORY } from '../dispatch/resources.ts';
import type { Change } from '../jobs/run.ts';

/** Exit code of a process killed by the kernel's SIGKILL: 128 + 9. */
const KILLED = 137;
/** Failure types by which languages and workers report it. */
const types: ReadonlySet<string> = new Set(['MemoryError', 'OutOfMemoryError', 'OutOfMemory']);

export function ranOutOfMemory({ type, exitCode }: Failure): boolean {
  return exitCode === KILLED || types.has(type);
}

/** Demands of the next attempt after this change; undefined: unchanged. */
export function grownDemands(demands: Demands, change: Change): Demands | undefined {
  const { memoryGrowth, resources = {} } = demands;
  const failure = change.kind === 'continue' ? change.closed?.failure : undefined;
  if (!memoryGrowth || !failure || !ranOutOfMemory(failure)) return undefined;
  const before = resources[MEMORY] ?? 0;
  // Whole bytes: fractions of a byte make no sense.
  const memory = Math.min(memoryGrowth.max, Math.ceil(before * memoryGrowth.factor));
  return memory > before ? { ...demands, resources: { ...resources, [MEMORY]: memory } } : undefined;
}
