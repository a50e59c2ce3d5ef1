/** What runs in a handler knows whose handler it is, as long as that has not returned. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { handledJobId, runAsHandlerOf } from '../../../sdk/typescript/src/handled-job.ts';

it('is known behind what a handler awaits, apart from other handlers and from what is outside', async () => {
  const handler = (jobId: string) =>
    runAsHandlerOf({ jobId, isHandled: true }, async () => {
      const seen = [handledJobId()];
      await delay(1);
      seen.push(handledJobId());
      return Promise.all([...seen, delay(1).then(handledJobId)]);
    });
  const [one, other] = await Promise.all([handler('a'), handler('b')]);
  expect([one, other, handledJobId()]).toEqual([['a', 'a', 'a'], ['b', 'b', 'b'], '']);
});

it('is no one any more in what goes on once the handler has returned', async () => {
  const job = { jobId: 'a', isHandled: true };
  const { promise, resolve } = Promise.withResolvers<void>();
  const left = runAsHandlerOf(job, async () => {
    await promise;
    return handledJobId();
  });
  job.isHandled = false;
  resolve();
  expect(await left).toBe('');
});
