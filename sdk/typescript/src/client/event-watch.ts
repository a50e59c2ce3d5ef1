/** Watches what happens to jobs over connections that may break: the stream is asked for anew after the last position. */
import type { JobEvent } from '../gen/muster/v1/event_pb.ts';
import { EventService } from '../gen/muster/v1/event_service_pb.ts';
import type { JobState } from '../gen/muster/v1/job_pb.ts';
import { serverStream } from '../transport/server-stream.ts';
import type { Calls } from './calls.ts';
import { following } from './following.ts';

/** From where on events are read. */
export interface EventOptions {
  /**
   * Only what came after this position, and what is to come; 0: from the oldest event that is kept. Default: only what is to
   * come, or with `keptOnly` from the oldest as well.
   */
  readonly after?: bigint;
  /** Only of jobs that enter one of these states. ASSIGNED and RUNNING are not told. Default: of all. */
  readonly states?: readonly JobState[];
  /** Ends after the newest event that is kept, in place of waiting for more. Default: false. */
  readonly keptOnly?: boolean;
  /** Ends the watch with CANCELLED. */
  readonly signal?: AbortSignal;
}

/** Events that were stored together. */
export interface EventPage {
  readonly events: readonly JobEvent[];
  /** Where to go on from after them: `after` of another watch. */
  readonly position: bigint;
}

type Target = Pick<EventOptions, 'after' | 'states' | 'keptOnly'> & { namespace: string; jobId: string };

export function watchEvents(
  { channel, retry }: Calls,
  { after, states = [], keptOnly = false, ...same }: Target,
  signal: AbortSignal | undefined,
): AsyncGenerator<EventPage, void> {
  let position = after;
  const open = () => {
    const from = position === undefined ? {} : { afterPosition: position };
    const request = { ...same, states: [...states], keptOnly, ...from };
    return serverStream(channel, EventService.method.watchEvents, request, signal);
  };
  return following(retry, signal, open, (page) => {
    position = page.position;
    const { events } = page;
    return { items: [{ events, position }], isOver: keptOnly && events.length === 0 };
  });
}
