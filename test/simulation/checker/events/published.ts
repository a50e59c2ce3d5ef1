/**
 * Every state change, and every missed soft deadline, is published at least once, unchanged, with an id of its own; and
 * nothing else is published.
 */
import { eventId } from '../../../../server/domain/events/event-id.ts';
import { type JobState, stateCodes, stateOf } from '../../../../server/domain/jobs/job-state.ts';
import type { PublishedEvent } from '../../../../server/engine/ports/events.ts';
import type { History } from '../../core/history.ts';
import type { JournalRow } from '../../database/journal.ts';

const INVARIANT = 'every change of a state is told, and nothing else';

const isPublished = (state: number) => state !== stateCodes.ASSIGNED && state !== stateCodes.RUNNING;

/** Changes as `READY>CANCELLED`, and misses as `READY>READY`, in their order in the database. */
function changesOf(rows: readonly JournalRow[]): Map<string, string[]> {
  const changes = new Map<string, string[]>();
  const states = new Map<string, JobState>();
  for (const { kind, id, to, nextDue } of rows) {
    const now = states.get(id);
    if (kind === 'deadline' && nextDue !== null && now) changes.set(id, [...(changes.get(id) ?? []), `${now}>${now}`]);
    if ((kind !== 'create' && kind !== 'move' && kind !== 'end') || to === null) continue;
    // A job that is stored with a permit was ready first.
    const first = kind === 'create' && to === stateCodes.ASSIGNED ? ['>READY'] : [];
    const before = states.get(id) ?? '';
    states.set(id, stateOf(to));
    const change = before !== stateOf(to) && isPublished(to) ? [`${before}>${stateOf(to)}`] : [];
    changes.set(id, [...(changes.get(id) ?? []), ...first, ...change]);
  }
  return changes;
}

export function checkPublished(
  rows: readonly JournalRow[],
  published: readonly PublishedEvent[],
  history: History,
): void {
  const byId = new Map<string, PublishedEvent>();
  for (const event of published) {
    const before = byId.get(eventId(event));
    if (before && JSON.stringify(before) !== JSON.stringify(event))
      history.violate(INVARIANT, `two events have the id ${eventId(event)}`);
    if (before) history.count('event told twice');
    byId.set(eventId(event), event);
  }
  const events = Map.groupBy(byId.values(), (event) => event.jobId);
  for (const [jobId, changes] of changesOf(rows)) {
    const found = (events.get(jobId) ?? [])
      .sort((a, b) => a.revision - b.revision)
      .map(({ previousState = '', state }) => `${previousState}>${state}`);
    if (found.join() !== changes.join())
      history.violate(
        INVARIANT,
        `of job ${jobId} the changes ${found.join(', ')} were published, and it had ${changes.join(', ')}`,
      );
    events.delete(jobId);
  }
  for (const jobId of events.keys())
    history.violate(INVARIANT, `of job ${jobId} an event was published, and it was never created`);
  history.count('event told', byId.size);
}
