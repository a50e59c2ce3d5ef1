/** Reads of callers: few run, few wait, and what ends one of them is never an unknown outcome. */
import { describe, expect, it } from 'vitest';
import type { EngineError } from '../../../server/engine/base/errors.ts';
import { ReadGate, type ReadGateOptions } from '../../../server/store/driver/read-gate.ts';
import { settle } from '../engine/base/virtual-time.ts';

/** A gate, and the reads that run, each with a function that ends it. */
function gateOf(options: Partial<ReadGateOptions> = {}) {
  const gate = new ReadGate({ maxRunning: 2, maxWaiting: 2, maxWaitMs: 60_000, ...options });
  const running: PromiseWithResolvers<string>[] = [];
  const read = () =>
    gate.run(() => {
      const work = Promise.withResolvers<string>();
      running.push(work);
      return work.promise;
    });
  return { gate, running, read };
}

const reasonOf = (read: Promise<unknown>) => read.catch((error: EngineError) => error.reason ?? error.message);

describe('the gate of reads', () => {
  it('runs no more than its maximum at once, the others in their order', async () => {
    const { running, read } = gateOf();
    const reads = [read(), read(), read(), read()];
    expect(running).toHaveLength(2);
    running[1]?.resolve('b');
    expect(await reads[1]).toBe('b');
    await settle();
    expect(running).toHaveLength(3);
    running[0]?.resolve('a');
    running[2]?.resolve('c');
    await settle();
    running[3]?.resolve('d');
    expect(await Promise.all(reads)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('refuses a read at once if too many wait', async () => {
    const { running, read } = gateOf();
    const reads = [read(), read(), read(), read()];
    expect(await reasonOf(read())).toBe('OVERLOADED');
    running[0]?.resolve('a');
    await reads[0];
    const late = read();
    for (let n = 1; n < 5; n++) {
      await settle();
      running[n]?.resolve('x');
    }
    expect(await late).toBe('x');
  });

  it('lets a call that has begun go before those that have not, however many wait', async () => {
    const [begun, other] = [new AbortController().signal, new AbortController().signal];
    let signal = begun;
    const { running, read } = gateOf({ maxRunning: 1, maxWaiting: 1, callSignal: () => signal });
    const first = read();
    signal = other;
    const waiting = read();
    signal = begun;
    const second = read();
    running[0]?.resolve('first');
    await first;
    running[1]?.resolve('second');
    expect(await second).toBe('second');
    running[2]?.resolve('waiting');
    expect(await waiting).toBe('waiting');
  });

  it('refuses a read that has waited for too long, and serves the next one', async () => {
    const { running, read } = gateOf({ maxRunning: 1, maxWaitMs: 1 });
    const first = read();
    expect(await reasonOf(read())).toBe('OVERLOADED');
    running[0]?.resolve('a');
    await first;
    const next = read();
    running[1]?.resolve('b');
    expect(await next).toBe('b');
  });

  it('drops a waiting read when its caller has gone', async () => {
    const caller = new AbortController();
    let signal: AbortSignal | undefined;
    const { running, read } = gateOf({ maxRunning: 1, callSignal: () => signal });
    const first = read();
    signal = caller.signal;
    const second = read();
    caller.abort(new Error('the caller went away'));
    expect(await reasonOf(second)).toBe('the caller went away');
    running[0]?.resolve('a');
    await first;
    expect(running).toHaveLength(1);
    expect(await reasonOf(read())).toBe('the caller went away');
  });

  it.each([
    ['a time limit of the database', { code: '57014' }, 'OVERLOADED'],
    ['a broken connection', { code: 'ECONNRESET' }, 'STORE_UNAVAILABLE'],
    ['an answer that never comes', { message: 'Query read timeout' }, 'STORE_UNAVAILABLE'],
  ])('says of %s that the read may be repeated', async (_, facts, reason) => {
    const { gate } = gateOf();
    const failure = gate.run(() => Promise.reject(Object.assign(new Error('no'), facts)));
    const error = await failure.catch((thrown: EngineError) => thrown);
    expect(error).toMatchObject({ reason, message: expect.stringContaining('try again') });
    expect(error).toMatchObject({ message: expect.not.stringContaining('not known') });
  });

  it('passes on other errors as they are', async () => {
    const { gate } = gateOf();
    const bug = Object.assign(new Error('no'), { code: '42P01' });
    await expect(gate.run(() => Promise.reject(bug))).rejects.toBe(bug);
  });
});
