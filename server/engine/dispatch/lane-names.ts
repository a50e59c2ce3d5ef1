/** Names by which lanes are known, and by which they belong together. */
import type { LaneKey } from '../../domain/dispatch/placement.ts';
import type { KnownLane } from './known-lane.ts';

export function keyText(key: LaneKey): string {
  return JSON.stringify([
    key.namespace,
    key.queue,
    key.definition,
    key.definitionVersion,
    key.demands,
    key.suspect,
    key.cleanup === true,
    key.atLimit === true,
  ]);
}

/** No breaker holds back what cleans up: it is promised to run. */
export function breakerOf({ cleanup, definitionBody }: KnownLane): string | undefined {
  return cleanup ? undefined : definitionBody.circuitBreaker?.name;
}

export function queueName({ namespace, queue }: KnownLane): string {
  return `queue ${namespace}/${queue}`;
}

export function definitionName({ namespace, definition }: KnownLane): string {
  return `definition ${namespace}/${definition}`;
}
