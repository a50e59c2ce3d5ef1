/** Names of lanes, and of the groups that they belong to. */
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

/** Breakers do not hold back clean-up jobs: these are guaranteed to run. */
export function breakerOf({ cleanup, definitionBody }: KnownLane): string | undefined {
  return cleanup ? undefined : definitionBody.circuitBreaker?.name;
}

export function queueName({ namespace, queue }: KnownLane): string {
  return `queue ${namespace}/${queue}`;
}

export function definitionName({ namespace, definition }: KnownLane): string {
  return `definition ${namespace}/${definition}`;
}
