/** Messages between the two threads of a worker, and the host that runs handlers. */
import { assert, describe, expect, test, vi } from 'vitest';
import type { Payload } from '../../../sdk/typescript/src/gen/muster/v1/payload_pb.ts';
import type { Logger } from '../../../sdk/typescript/src/logger.ts';
import { payload } from '../../../sdk/typescript/src/payload.ts';
import { uuidText } from '../../../sdk/typescript/src/uuid.ts';
import { ChildCalls } from '../../../sdk/typescript/src/worker/children.ts';
import type { HandlerOutcome } from '../../../sdk/typescript/src/worker/core/base/ports.ts';
import { toFailure } from '../../../sdk/typescript/src/worker/failure.ts';
import type { HandlerFunction } from '../../../sdk/typescript/src/worker/handler.ts';
import { HandlerStopped } from '../../../sdk/typescript/src/worker/handler.ts';
import { HandlerHost } from '../../../sdk/typescript/src/worker/handler-host.ts';
import { EndsPacker, unpackEnds } from '../../../sdk/typescript/src/worker/thread/ends.ts';
import type { ToSession } from '../../../sdk/typescript/src/worker/thread/messages.ts';
import { SlotFlags } from '../../../sdk/typescript/src/worker/thread/slot-flags.ts';
import { StartsPacker, unpackStarts } from '../../../sdk/typescript/src/worker/thread/starts.ts';
import { startTracing } from '../../support/telemetry/tracing.ts';
import { assign } from './support/core-world.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const json = (value: unknown) => payload(bytes(JSON.stringify(value)), 'application/json');

/** The copy that postMessage makes of a value. */
const sent = <T>(value: T): T => structuredClone(value);

describe('encoded starts', () => {
  test('survive encoding, with many in one buffer', () => {
    const first = assign(1, 1n, { attempt: 2, runTimeoutMs: 5_000 });
    first.input = json({ a: 1 });
    first.checkpoint = payload(bytes('half'), 'text/plain', { k: 'v' });
    first.traceparent = '00-a-b-01';
    const second = assign(2, 1n);
    const packer = new StartsPacker();
    packer.add(0, 11, first);
    packer.add(7, 12, second);
    const [one, two] = unpackStarts(sent(packer.take()));
    expect(one).toMatchObject({
      slot: 0,
      ticket: 11,
      attempt: 2,
      handler: 'add',
      runTimeoutMs: 5_000,
      traceparent: '00-a-b-01',
    });
    expect([one?.jobId, one?.input, one?.checkpoint]).toEqual([first.jobId, first.input, first.checkpoint]);
    expect(two).toMatchObject({ slot: 7, ticket: 12, jobId: second.jobId, input: undefined, checkpoint: undefined });
    expect(packer.empty).toBe(true);
  });
});

function contentOf(outcome: HandlerOutcome) {
  if (outcome.kind === 'suspended') return outcome.childIds;
  return outcome.kind === 'result' ? outcome.payload : outcome.failure;
}

describe('encoded ends', () => {
  test('name the children that a handler waits for', () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()];
    const packer = new EndsPacker();
    packer.addResult(0, 'before');
    packer.addSuspension(1, ids);
    packer.addResult(2, 'after');
    const [, suspended, last] = unpackEnds(sent(packer.take())).map(({ outcome }) => contentOf(outcome));
    expect((suspended as Uint8Array[]).map(uuidText)).toEqual(ids);
    expect(last).toEqual(json('after'));
  });

  test('survive encoding: JSON, bytes, payloads, nothing and failures', () => {
    const own = payload(bytes('<a/>'), 'application/xml', { k: 'v' });
    const failure = toFailure(new Error('it broke'));
    const packer = new EndsPacker();
    packer.addResult(0, { sum: 'ä'.repeat(20_000) });
    packer.addResult(1, new Uint8Array([1, 2]));
    packer.addResult(2, own);
    packer.addResult(3, undefined);
    packer.addFailure(4, failure);
    const ends = unpackEnds(sent(packer.take()));
    expect(ends.map(({ slot }) => slot)).toEqual([0, 1, 2, 3, 4]);
    expect(ends.map(({ outcome }) => contentOf(outcome))).toEqual([
      json({ sum: 'ä'.repeat(20_000) }),
      payload(new Uint8Array([1, 2]), 'application/octet-stream'),
      own,
      payload(new Uint8Array(), ''),
      failure,
    ]);
  });

  test('keep nothing of a value that can not be written', () => {
    const packer = new EndsPacker();
    expect(() => packer.addResult(0, 10n)).toThrow(TypeError);
    expect(packer.empty).toBe(true);
  });
});

describe('the flag of a slot', () => {
  test('marks an attempt as entered or taken back, never both', () => {
    const session = new SlotFlags();
    const handlers = new SlotFlags(session.memory);
    const first = session.hand(3);
    expect(handlers.enter(3, first)).toBe(true);
    expect([session.hasEntered(3), session.withdraw(3)]).toEqual([true, false]);
    const second = session.hand(3);
    expect([session.hasEntered(3), session.withdraw(3)]).toEqual([false, true]);
    expect(handlers.enter(3, second)).toBe(false);
  });

  test('is not changed by an old ticket once the slot is used again', () => {
    const flags = new SlotFlags();
    const old = flags.hand(0);
    flags.withdraw(0);
    const fresh = flags.hand(0);
    expect(flags.enter(0, old)).toBe(false);
    expect(flags.enter(0, fresh)).toBe(true);
  });
});

/** A host whose messages to the session's thread are collected. */
function host(handlers: Record<string, HandlerFunction>, logger: Logger = { log: () => {} }) {
  const flags = new SlotFlags();
  const messages: (ToSession & { kind: 'ends' })[] = [];
  let notify: (() => void) | undefined;
  const port = {
    postMessage: (message: unknown) => {
      messages.push(sent(message) as ToSession & { kind: 'ends' });
      notify?.();
    },
  };
  const one = new HandlerHost(
    new Map(Object.entries(handlers)),
    flags,
    logger,
    port,
    new ChildCalls('127.0.0.1:1', ''),
  );
  const start = (inputs: (Payload | undefined)[], handler = 'add') => {
    const packer = new StartsPacker();
    inputs.forEach((input, slot) => {
      const assignment = assign(slot + 1, 1n, { handler, attempt: 4 });
      if (input) assignment.input = input;
      packer.add(slot, flags.hand(slot), assignment);
    });
    one.startAll(sent(packer.take()));
  };
  const ends = async (count: number) => {
    const all = () => messages.flatMap((message) => unpackEnds(message.ends));
    while (all().length < count) {
      await new Promise<void>((resolve) => {
        notify = resolve;
      });
    }
    return all().map(({ slot, outcome }) =>
      outcome.kind === 'failure'
        ? `${slot} ${outcome.failure.type}: ${outcome.failure.message}`
        : `${slot} ${outcome.kind === 'result' ? new TextDecoder().decode(outcome.payload.data) : outcome.kind}`,
    );
  };
  return { one, flags, messages, start, ends };
}

describe('the host', () => {
  test('runs handlers with the decoded input and sends the outcomes of one turn together', async () => {
    // A fixed clock, because a turn that takes long is cut.
    using _clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const { start, ends, messages } = host({ add: async (_, input: { a: number }) => ({ sum: input.a + 1 }) });
    start([json({ a: 1 }), json({ a: 2 })]);
    expect(await ends(2)).toEqual(['0 {"sum":2}', '1 {"sum":3}']);
    expect(messages).toHaveLength(1);
  });

  test('ends sync handlers, thrown errors, missing handlers, bad inputs and bad results', async () => {
    const { start, ends } = host({
      add: (_, input: { a: number }) => input.a,
      fails: () => {
        throw new RangeError('too far');
      },
      rejects: () => Promise.reject(new TypeError('no')),
      big: () => 10n,
    });
    // One after the other: all run in slot 0, which is used again only after its attempt has ended.
    const inputs: [Payload | undefined, string][] = [
      [json({ a: 1 }), 'add'],
      [undefined, 'fails'],
      [undefined, 'rejects'],
      [undefined, 'none'],
      [undefined, 'big'],
      [payload(bytes('{'), 'application/json'), 'add'],
    ];
    for (const [i, [input, handler]] of inputs.entries()) {
      start([input], handler);
      await ends(i + 1);
    }
    expect((await ends(6)).sort()).toEqual([
      '0 1',
      '0 NonRetryableError: the input is not what its content type says',
      '0 NonRetryableError: the result can not be written as JSON',
      '0 NonRetryableError: there is no handler "none"',
      '0 RangeError: too far',
      '0 TypeError: no',
    ]);
  });

  test('ends the attempt whatever is thrown, and starts others', async () => {
    const tracing = startTracing();
    try {
      const { start, ends } = host({
        add: (_, how: string) => {
          if (how === 'at once') throw Object.create(null);
          if (how === 'later') return Promise.reject(Object.create(null));
          // biome-ignore lint/suspicious/noThenProperty: the promise of a faulty library
          return { then: () => assert.fail('a trap') };
        },
      });
      start([json('at once')]);
      start([json('later'), json('trap')]);
      const all = await ends(3);
      expect(all.map((end) => end.split(':')[0])).toEqual(['0 NotAnError', '0 NotAnError', '1 AssertionError']);
    } finally {
      await tracing.stop();
    }
  });

  test('never enters an attempt that was taken back', async () => {
    const entered: number[] = [];
    const { flags, start, ends } = host({
      add: (_, n: number) => {
        entered.push(n);
        flags.withdraw(1);
      },
    });
    start([json(0), json(1), json(2)]);
    await ends(2);
    expect(entered).toEqual([0, 2]);
  });

  test('sends outcomes before later handlers that block the thread', async () => {
    let now = 0;
    using _clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const before: number[] = [];
    const { start, ends, messages } = host({
      add: async (_, ms: number) => {
        before.push(messages.length);
        now += ms;
      },
    });
    start([json(0), json(10), json(10)]);
    start([json(0)]);
    await ends(4);
    expect(before).toEqual([0, 0, 1, 2]);
  });

  test('gives handlers a context with the job, and a signal with the reason to stop', async () => {
    const facts: unknown[] = [];
    const { one, start, ends } = host({
      add: async (context) => {
        const { jobId, attempt, idempotencyKey, fencingToken, definition } = context;
        facts.push({ jobId, attempt, idempotencyKey, fencingToken, definition });
        await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
      },
    });
    start([undefined]);
    one.stop(0, 'cancelled');
    expect(await ends(1)).toEqual(['0 HandlerStopped: the handler was asked to stop: cancelled']);
    const jobId = '00000000-0000-0000-0000-000000000001';
    expect(facts).toEqual([{ jobId, attempt: 4, idempotencyKey: jobId, fencingToken: 4, definition: 'add' }]);
  });

  test('gives an aborted signal when it is first read after the stop', async () => {
    let go = () => {};
    let seen: unknown;
    const { one, start, ends } = host({
      add: async (context) => {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        seen = context.signal.reason;
      },
    });
    start([undefined]);
    one.stopAll('shutdown');
    go();
    await ends(1);
    expect(seen).toBeInstanceOf(HandlerStopped);
    expect(seen).toMatchObject({ reason: 'shutdown' });
  });

  test('sends progress and checkpoints before the end of their attempt, and not after it', async () => {
    let late = () => {};
    const { one, start, ends, messages } = host({
      add: (context) => {
        context.progress(7, 'x'.repeat(300));
        context.checkpoint({ done: 3 });
        late = () => context.progress(0.9);
      },
    });
    one.maxPayload = 100;
    start([undefined]);
    await ends(1);
    late();
    expect(messages.flatMap(({ updates }) => updates)).toEqual([
      { slot: 0, progress: { fraction: 1, message: 'x'.repeat(256) } },
      { slot: 0, checkpoint: { data: bytes('{"done":3}'), contentType: 'application/json', metadata: {} } },
    ]);
  });

  test('refuses a checkpoint that is too large when it is made', async () => {
    const { one, start, ends } = host({ add: (context) => context.checkpoint('x'.repeat(200)) });
    one.maxPayload = 100;
    start([undefined]);
    expect(await ends(1)).toEqual(['0 RangeError: the checkpoint has 202 bytes; the maximum is 100']);
  });

  test('requests more time at once, as a sum, and within bounds', async () => {
    const day = 24 * 3_600_000;
    const seen: unknown[] = [];
    const { start, ends, messages } = host({
      add: (context) => {
        context.extendRunTimeout(1_000);
        context.extendRunTimeout(500);
        seen.push(messages.flatMap(({ updates }) => updates));
        for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
          expect(() => context.extendRunTimeout(ms)).toThrow(
            new RangeError(`a run timeout can't be extended by ${ms} ms`),
          );
        expect(() => context.extendRunTimeout(30 * day)).toThrow(/the maximum is 2592000000/);
      },
    });
    start([undefined]);
    expect(await ends(1)).toEqual(['0 ']);
    expect(seen).toEqual([
      [
        { slot: 0, extensionMs: 1_000 },
        { slot: 0, extensionMs: 1_500 },
      ],
    ]);
  });

  test('adds the job to log records', async () => {
    const records: unknown[] = [];
    const { start, ends } = host(
      { add: (context) => context.log('info', 'hello', { n: 1 }) },
      { log: (...record) => records.push(record) },
    );
    start([undefined]);
    await ends(1);
    expect(records).toEqual([['info', 'hello', { n: 1, jobId: '00000000-0000-0000-0000-000000000001', attempt: 4 }]]);
  });

  test('sends log records before the end of their attempt, the newest of a flood', async () => {
    const { start, ends, messages } = host({
      add: (context) => {
        for (let i = 0; i < 10_000; i++) context.log('debug', `line ${i + 1}`, { i });
      },
    });
    start([undefined]);
    await ends(1);
    expect(messages).toHaveLength(1);
    const lines = messages.flatMap(({ updates }) => updates.flatMap(({ logs = [] }) => logs));
    expect(lines.at(-1)).toMatchObject({
      sequence: 10_000,
      message: 'line 10000',
      level: 'debug',
      fields: { i: '9999' },
    });
    expect(lines.map(({ sequence }) => sequence)).toEqual(lines.map((_, i) => 10_001 - lines.length + i));
    expect(lines.length).toBeLessThan(1_100);
  });
});
