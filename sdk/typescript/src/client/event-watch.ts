/** Watches events. A stream that breaks is reopened after the last position. */
import type { JobEvent } from '../gen/muster/v1/event_pb.ts';
import { EventService } from '../gen/muster/v1/event_service_pb.ts';
import type { JobState } from '../gen/muster/v1/job_pb.ts';
import type { Known } from '../options/known-options.ts';
import { serverStream } from '../transport/channel.ts';
import type { Calls } from './calls.ts';
import { following } from './following.ts';

/** Selects events, and where the watch starts. */
export interface EventOptions {
  /**
   * Only events after this position; 0 means from the oldest kept event. Default: only new events, or with `keptOnly`
   * from the oldest kept one.
   */
  readonly after?: bigint;
  /** Only jobs that enter one of these states. ASSIGNED and RUNNING have no events. Default: all. */
  readonly states?: readonly JobState[];
  /** Ends after the newest kept event instead of waiting for more. Default: false. */
  readonly keptOnly?: boolean;
  /** Ends the watch with CANCELLED. */
  readonly signal?: AbortSignal;
}

export const eventOptions: Known<EventOptions> = { after: true, states: true, keptOnly: true, signal: true };

/** Events that were stored together. */
export interface EventPage {
  readonly events: readonly JobEvent[];
  /** Position after these events. Pass it as `after` to continue in another watch. */
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
