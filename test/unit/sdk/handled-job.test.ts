/** Code in a handler can find its job until the handler returns. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { handledJobId, runAsHandlerOf } from '../../../sdk/typescript/src/handled-job.ts';

it('the current job is known after an await, and is separate for other handlers and outside of handlers', async () => {
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

it('the current job is unknown to code that continues after the handler has returned', async () => {
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
