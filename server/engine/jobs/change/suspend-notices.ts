/** Notifies sessions of attempts to suspend, at once; the reply to every heartbeat repeats it until they are closed. */

import type { Change } from '../../../domain/jobs/run.ts';
import { graceLeftMs } from '../../../domain/jobs/suspension.ts';
import type { SuspendNotice } from '../../base/messages.ts';
import type { JobSelection } from '../../ports/jobs.ts';
import type { Bus } from '../../ports/ports.ts';
import type { Changes, DecideJob } from './changes.ts';

/** Other changes than requests to suspend are ignored. */
export function notifySuspended(bus: Pick<Bus, 'suspend'>, changes: readonly Change[], nowUs: number): void {
  const notices = new Map<string, SuspendNotice[]>();
  for (const change of changes) {
    const { sessionId, jobId, attempt } = change.run;
    if (change.kind === 'end' || change.event !== 'pause' || !change.suspension || !sessionId) continue;
    const notice = { jobId, attempt, graceMs: graceLeftMs(change.suspension.untilUs, nowUs) };
    const list = notices.get(sessionId);
    if (list) list.push(notice);
    else notices.set(sessionId, [notice]);
  }
  for (const [sessionId, list] of notices) bus.suspend(sessionId, list);
}

/** One transaction that may ask handlers to stop, and notifies their sessions. Returns the changes made. */
export async function changeAndNotify(
  { changes, bus }: { readonly changes: Changes; readonly bus: Pick<Bus, 'suspend'> },
  selection: JobSelection,
  decide: DecideJob,
): Promise<Change[]> {
  let decidedUs = 0;
  const made = await changes.apply(selection, (run, nowUs, definition) => {
    decidedUs = nowUs;
    return decide(run, nowUs, definition);
  });
  notifySuspended(bus, made, decidedUs);
  return made;
}
