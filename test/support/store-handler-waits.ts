/** Handler waits for jobs, for store tests, and one call of each of their statements. */
import type { HandlerWait } from '../../server/engine/ports/deadlocks.ts';
import type { StoreContext } from './store-context.ts';

export function handlerWait(jobId: string, targetJobId: string, namespace = 'default'): HandlerWait {
  return { waitId: crypto.randomUUID(), namespace, jobId, targetJobId };
}

export async function useHandlerWaits({ store: { deadlocks } }: StoreContext): Promise<void> {
  const wait = handlerWait(crypto.randomUUID(), crypto.randomUUID());
  await deadlocks.saveHandlerWaits([wait], 15_000);
  await deadlocks.readWaitingHandlers('default', 10);
  await deadlocks.dropHandlerWaits([wait.waitId]);
  await deadlocks.readAwaitedJobs([wait.jobId]);
  await deadlocks.readOpenChildren([wait.jobId], 10);
}
