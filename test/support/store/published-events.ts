/** Single events and changes, for tests that check each one. */
import { uuidFromBytes } from '../../../server/domain/base/uuid.ts';
import type { ChangeOfMany, EventBatch, PublishedEvent } from '../../../server/engine/ports/events.ts';

const ID_BYTES = 16;

/** The change, once per job. */
export function eachOf<C extends ChangeOfMany>({ jobIds, ...change }: C): (Omit<C, 'jobIds'> & { jobId: string })[] {
  return Array.from({ length: jobIds.length / ID_BYTES }, (_, i) => ({
    jobId: uuidFromBytes(jobIds, i * ID_BYTES),
    ...change,
  }));
}

/** The events of a batch. */
export function eventsOf({ namespace, eventTimeUs, changes }: EventBatch): PublishedEvent[] {
  return changes.flatMap(eachOf).map((change) => ({ ...change, namespace, eventTimeUs }));
}
