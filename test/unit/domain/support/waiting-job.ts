/** A job that waits for its first attempt. */
import type { OpenRun } from '../../../../server/domain/jobs/run.ts';
import { openRunAt } from '../../../support/jobs/open-run.ts';

export const NOW_US = 1_795_000_000_000_000;

export function runOf(changes: Partial<OpenRun> = {}): OpenRun {
  return openRunAt(NOW_US - 5_000_000, { runTimeoutMs: 60_000, ...changes });
}
