/** Ready takers: one wake polls all parts that take ready jobs. */
import { describe, expect, it } from 'vitest';
import { ReadyTakers } from '../../../../server/engine/dispatch/ready-takers.ts';

const settled = () => new Promise<void>((resolve) => queueMicrotask(resolve));

function makeTakers(...names: readonly string[]) {
  const polls: string[] = [];
  const takers = new ReadyTakers();
  for (const name of names) takers.add({ poll: () => void polls.push(name) });
  return { takers, polls };
}

describe('ready takers', () => {
  it('are polled once for several wakes in one turn, in the order in which they were added', async () => {
    const { takers, polls } = makeTakers('workflows', 'dispatcher');
    takers.wake();
    takers.wake();
    expect(polls).toEqual([]);
    await settled();
    expect(polls).toEqual(['workflows', 'dispatcher']);
    takers.wake();
    await settled();
    expect(polls).toHaveLength(4);
  });

  it('are not polled for a wake after the stop', async () => {
    const { takers, polls } = makeTakers('dispatcher');
    takers.stop();
    takers.wake();
    await settled();
    expect(polls).toEqual([]);
  });
});
