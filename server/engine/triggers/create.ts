/** Makes the parts of triggers. */
import type { EnginePorts } from '../base/engine-ports.ts';
import { TriggerProgress } from './trigger-progress.ts';
import { TriggerRounds } from './trigger-rounds.ts';

/** What the API sees of them. */
export interface TriggersApi {
  readonly triggerProgress: TriggerProgress;
}

export function createTriggers(
  ports: Pick<EnginePorts, 'store' | 'dbClock' | 'bus' | 'timers' | 'random' | 'log' | 'announcer'>,
) {
  const { store, dbClock: clock, bus, announcer } = ports;
  const triggerRounds = new TriggerRounds({ ...ports, clock, maxInput: bus.maxUserPayload });
  announcer.subscribe({ triggers: () => triggerRounds.wake(), ended: () => triggerRounds.jobsEnded() });
  return { triggerRounds, triggerProgress: new TriggerProgress(store, clock) };
}
