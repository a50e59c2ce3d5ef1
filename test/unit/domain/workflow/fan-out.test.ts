/** Fan-outs compared with Indexed Jobs of Kubernetes, and the syntax of indexes. */
import { describe, expect, it } from 'vitest';
import { itemChange } from '../../../../server/domain/workflows/counted-items.ts';
import { beginFanOut, decideFanOut, endItems, startItems } from '../../../../server/domain/workflows/fan-out.ts';
import { parseIndexes } from '../../../../server/domain/workflows/indexes.ts';
import type { FanOut } from '../../../../server/domain/workflows/workflow.ts';

const items = 'workflow.input.files';

/** Starts all items. Each text is one round with the indexes that end in it: `0 1x` is item 0, and failed item 1. */
function play(rules: Omit<FanOut, 'items'>, size: number, ...rounds: readonly string[]) {
  const fanOut = { items, ...rules };
  let state = startItems(beginFanOut(fanOut, size), size);
  for (const round of rounds) {
    const ended = round.split(' ').map((word) => ({ item: Number.parseInt(word, 10), succeeded: !word.endsWith('x') }));
    state = endItems(fanOut, state, ended);
  }
  return { state, decision: decideFanOut(fanOut, state) };
}

const continues = { kind: 'CONTINUE', start: 0 };
const over = (kind: string, cancelOpen: boolean, reason?: string) => ({ kind, cancelOpen, ...(reason && { reason }) });

type Row = [string, Omit<FanOut, 'items'>, number, string[], object];

const rows: Row[] = [
  ['no items', {}, 0, [], over('SUCCEED', false)],
  ['no items, and a success rule', { successPolicy: [{ count: 1 }] }, 0, [], over('SUCCEED', false)],
  ['all have succeeded', {}, 2, ['0', '1'], over('SUCCEED', false)],
  ['one is open', {}, 2, ['0'], continues],
  ['one failed, and the rest still runs', {}, 3, ['0x'], continues],
  ['one failed, and all have ended', {}, 3, ['0x', '1 2'], over('FAIL', false, '1 of 3 items failed')],
  ['maxFailedIndexes is reached', { maxFailed: 1 }, 4, ['0x'], continues],
  [
    'maxFailedIndexes is exceeded',
    { maxFailed: 1 },
    4,
    ['0x', '2x'],
    over('FAIL', true, '2 of 4 items failed, and max_failed is 1'),
  ],
  [
    'maxFailedIndexes of 0: the first failure',
    { maxFailed: 0 },
    4,
    ['1', '0x'],
    over('FAIL', true, '1 of 4 items failed, and max_failed is 0'),
  ],
  [
    'maxFailedIndexes was not exceeded, and all have ended (FailedIndexes)',
    { maxFailed: 1 },
    2,
    ['0x', '1'],
    over('FAIL', false, '1 of 2 items failed'),
  ],
  ['succeededCount is not reached', { successPolicy: [{ count: 2 }] }, 4, ['3'], continues],
  ['succeededCount is reached', { successPolicy: [{ count: 2 }] }, 4, ['3', '0x', '1'], over('SUCCEED', true)],
  [
    'one of succeededIndexes is missing',
    {
      successPolicy: [
        {
          indexes: [
            [0, 0],
            [2, 3],
          ],
        },
      ],
    },
    5,
    ['0 2 4 1'],
    continues,
  ],
  [
    'all of succeededIndexes have succeeded',
    {
      successPolicy: [
        {
          indexes: [
            [0, 0],
            [2, 3],
          ],
        },
      ],
    },
    5,
    ['0 2', '3'],
    over('SUCCEED', true),
  ],
  [
    'succeededCount counts within succeededIndexes alone',
    { successPolicy: [{ indexes: [[1, 3]], count: 2 }] },
    5,
    ['0 4 2'],
    continues,
  ],
  [
    'succeededCount within succeededIndexes is reached',
    { successPolicy: [{ indexes: [[1, 3]], count: 2 }] },
    5,
    ['2', '3'],
    over('SUCCEED', true),
  ],
  [
    'the second of two rules holds',
    { successPolicy: [{ indexes: [[0, 0]] }, { count: 2 }] },
    4,
    ['1 2'],
    over('SUCCEED', true),
  ],
  [
    'a rule holds though items failed',
    { successPolicy: [{ indexes: [[0, 0]] }] },
    2,
    ['1x', '0'],
    over('SUCCEED', false),
  ],
  [
    'no rule can hold, and all have succeeded',
    { successPolicy: [{ indexes: [[7, 9]] }] },
    2,
    ['0 1'],
    over('SUCCEED', false),
  ],
  [
    'no rule holds, and all have ended',
    { successPolicy: [{ indexes: [[0, 0]] }] },
    2,
    ['0x', '1'],
    over('FAIL', false, '1 of 2 items failed'),
  ],
  ['a rule counts only existing items', { successPolicy: [{ indexes: [[1, 9]] }] }, 3, ['1 2'], over('SUCCEED', true)],
  [
    'a rule about items that do not exist never holds',
    { successPolicy: [{ indexes: [[7, 9]] }] },
    3,
    ['1 2'],
    continues,
  ],
  [
    'failure and success in one look: failure',
    { maxFailed: 0, successPolicy: [{ count: 1 }] },
    4,
    ['0 1x'],
    over('FAIL', true, '1 of 4 items failed, and max_failed is 0'),
  ],
  [
    'success in a look before the failure',
    { maxFailed: 0, successPolicy: [{ count: 1 }] },
    4,
    ['0', '1x 2x'],
    over('SUCCEED', true),
  ],
  [
    'failure in a look before the success',
    { maxFailed: 0, successPolicy: [{ count: 1 }] },
    3,
    ['0x', '1 2x'],
    over('FAIL', false, '1 of 3 items failed, and max_failed is 0'),
  ],
];

describe('the decision on a fan-out', () => {
  it.each(rows)('is made in the case "%s"', (_what, rules, size, rounds, expected) => {
    expect(play(rules, size, ...rounds).decision).toEqual(expected);
  });

  it('counts separately the items that end after it', () => {
    const { state } = play({ maxFailed: 0, successPolicy: [{ count: 9 }] }, 4, '0', '1x', '2 3x');
    expect(state).toEqual({ size: 4, started: 4, succeeded: 1, failed: 1, late: 2, ruleCounts: [1] });
  });

  it('starts as many items as may be open, and more as items end', () => {
    const fanOut: FanOut = { items, maxParallel: 3 };
    let state = beginFanOut(fanOut, 5);
    expect(decideFanOut(fanOut, state)).toEqual({ kind: 'CONTINUE', start: 3 });
    state = startItems(state, 3);
    expect(decideFanOut(fanOut, state)).toEqual(continues);
    state = endItems(fanOut, state, [{ item: 1, succeeded: true }]);
    expect(decideFanOut(fanOut, state)).toEqual({ kind: 'CONTINUE', start: 1 });
    expect(decideFanOut({ items }, beginFanOut({ items }, 5))).toEqual({ kind: 'CONTINUE', start: 5 });
  });
});

describe('parseIndexes', () => {
  it.each([
    ['0', [[0, 0]]],
    [
      '0,3-5',
      [
        [0, 0],
        [3, 5],
      ],
    ],
    [
      '1,2,3-3',
      [
        [1, 1],
        [2, 2],
        [3, 3],
      ],
    ],
    ['99999', [[99_999, 99_999]]],
  ])('reads %s', (text, spans) => {
    expect(parseIndexes(text)).toEqual({ spans });
  });

  it.each([
    ['', 'has "", which is neither an index nor a span; write it as 3 or 3-5'],
    ['1,', 'has "", which is neither an index nor a span; write it as 3 or 3-5'],
    ['0, 3-5', 'has " 3-5", which is neither an index nor a span; write it as 3 or 3-5'],
    ['-1', 'has "-1", which is neither an index nor a span; write it as 3 or 3-5'],
    ['1-2-3', 'has "1-2-3", which is neither an index nor a span; write it as 3 or 3-5'],
    ['1.5', 'has "1.5", which is neither an index nor a span; write it as 3 or 3-5'],
    ['x'.repeat(99), `has "${'x'.repeat(40)}", which is neither an index nor a span; write it as 3 or 3-5`],
    ['100000', 'has place 100000; the highest is 99999'],
    ['5-100000', 'has place 100000; the highest is 99999'],
    ['5-3', 'has the span 5-3, which ends before it begins'],
    ['3,1', 'has 1 after 3; write the indexes in order, each once'],
    ['1-3,3', 'has 3 after 3; write the indexes in order, each once'],
  ])('refuses "%s"', (text, problem) => {
    expect(parseIndexes(text)).toEqual({ problem });
  });
});

describe('items that a step counts', () => {
  const fanOut = { items, maxFailed: 0 };
  const ended = [
    { item: 0, succeeded: true },
    { item: 1, succeeded: false },
    { item: 2, succeeded: false, skipped: true },
  ];

  it('are counted by their ends, also after the decision', () => {
    const first = endItems(fanOut, startItems(beginFanOut(fanOut, 9, true), 6), ended);
    expect(first.counted).toEqual({ succeeded: 1, failed: 1, skipped: 1 });
    const second = endItems(fanOut, first, ended);
    expect([second.late, second.counted]).toEqual([3, { succeeded: 2, failed: 2, skipped: 2 }]);
  });

  it('are not counted if no step asks', () => {
    expect(endItems(fanOut, startItems(beginFanOut(fanOut, 9), 6), ended)).not.toHaveProperty('counted');
  });

  it('that are open, or have not begun, when the fan-out ends count as failed and as skipped', () => {
    const running = endItems(fanOut, startItems(beginFanOut(fanOut, 9, true), 6), ended);
    const from = { state: 'RUNNING', fanOut: running } as const;
    expect(itemChange(from, { state: 'FAILED', fanOut: running })).toEqual({
      ...{ added: 0, succeeded: 0, failed: 3, upstreamFailed: 0, skipped: 3 },
    });
    expect(itemChange(from, from)).toBeUndefined();
    expect(itemChange({ state: 'WAITING' }, from)).toEqual({
      ...{ added: 8, succeeded: 1, failed: 1, upstreamFailed: 0, skipped: 1 },
    });
  });

  it('are one step as long as there are none', () => {
    const ends = { added: 0, succeeded: 0, failed: 0, upstreamFailed: 0, skipped: 0 };
    const none = beginFanOut(fanOut, 0, true);
    expect(itemChange({ state: 'WAITING' }, { state: 'RUNNING', fanOut: none })).toBeUndefined();
    expect(itemChange({ state: 'WAITING' }, { state: 'SUCCEEDED', fanOut: none })).toEqual({ ...ends, succeeded: 1 });
    expect(itemChange({ state: 'WAITING' }, { state: 'SKIPPED' })).toEqual({ ...ends, skipped: 1 });
    expect(itemChange({ state: 'WAITING' }, { state: 'UPSTREAM_FAILED' })).toEqual({ ...ends, upstreamFailed: 1 });
  });
});
