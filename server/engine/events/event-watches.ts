/** Watches of events: a bounded number of readers of the bus's stream, each with its filter. */
import type { JobState } from '../../domain/jobs/job-state.ts';
import { isMiss } from '../../domain/jobs/soft-deadline.ts';
import { EngineError } from '../base/errors.ts';
import type { PublishedEvent } from '../ports/events.ts';
import type { EventPage, EventRange, EventStream } from '../ports/ports.ts';

/** Each costs a consumer on the bus, and buffers on the replica. */
const MAX_WATCHERS = 200;

export interface EventQuery extends EventRange {
  /** Empty: all. */
  readonly states: readonly JobState[];
  readonly jobId: string | undefined;
}

export class EventWatches {
  readonly #events: EventStream;
  readonly #stopping = new AbortController();
  #count = 0;

  constructor(events: EventStream) {
    this.#events = events;
  }

  /**
   * The matching events, in pages of events that were stored together, until the stream ends or `gone` is aborted.
   *
   * Throws EVENTS_UNAVAILABLE, EVENT_POSITION_GONE, OVERLOADED, and SHUTTING_DOWN when this replica stops.
   */
  async *watch(query: EventQuery, gone: AbortSignal): AsyncGenerator<EventPage, void> {
    if (this.#count >= MAX_WATCHERS)
      throw new EngineError('OVERLOADED', `more than ${MAX_WATCHERS} callers watch events here already; try again`, {
        retryAfterMs: 1_000,
      });
    const { states, jobId } = query;
    const wanted = new Set(states);
    const over = AbortSignal.any([gone, this.#stopping.signal]);
    this.#count++;
    try {
      for await (const { position, events } of this.#events.read(query, over)) {
        const matching = events.filter(
          (event) => (wanted.size === 0 || isEntryInto(wanted, event)) && (jobId ?? event.jobId) === event.jobId,
        );
        if (matching.length > 0 || events.length === 0) yield { position, events: matching };
      }
    } finally {
      this.#count--;
    }
    if (this.#stopping.signal.aborted)
      throw new EngineError('SHUTTING_DOWN', 'this replica is shutting down; watch again after the last position');
  }

  /** Ends every watch with SHUTTING_DOWN. */
  stop(): void {
    this.#stopping.abort();
  }
}

function isEntryInto(states: ReadonlySet<JobState>, event: PublishedEvent): boolean {
  return states.has(event.state) && !isMiss(event);
}
