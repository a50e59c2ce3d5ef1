/** Calls in progress: limited in number and time, ended when their caller leaves, refused while the replica stops. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt';
import { ErrorInfoSchema } from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { describe, expect, it, vi } from 'vitest';
import { type Caller, CallFailure, Calls, currentCall } from '../../../server/api/base/calls.ts';
import type { CallMeter, Log, MeasuredCall } from '../../../server/engine/ports/ports.ts';
import { eventually } from '../../support/base/eventually.ts';

const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} };
const unmeasured: CallMeter = { ended: () => {} };
const patient: Caller = { system: 'grpc', bytes: 0, leftMs: Number.POSITIVE_INFINITY, onGone: () => () => {} };
const endless = () => new Promise<never>(() => {});

/** A caller that can leave. */
function leaving(): { caller: Caller; leave: () => void; listeners: Set<() => void> } {
  const listeners = new Set<() => void>();
  const onGone = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const leave = () => {
    for (const listener of listeners) listener();
  };
  return { caller: { ...patient, onGone }, leave, listeners };
}

async function reasonOf(call: Promise<unknown>): Promise<unknown> {
  const error = await call.catch((thrown: unknown) => thrown);
  if (!(error instanceof CallFailure)) throw new Error('the call was to fail', { cause: error });
  const [info] = error.status.parts;
  return info && anyUnpack(anyPack(info.desc, info.value), ErrorInfoSchema)?.reason;
}

/** Runs the garbage collector. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('a call', () => {
  it('returns the answer of its work', async () => {
    expect(await new Calls(quiet, unmeasured).run('Get', patient, async () => 7)).toBe(7);
  });

  it('is refused while the requests in progress hold too many bytes, except those of workers', async () => {
    const calls = new Calls(quiet, unmeasured);
    const large = { ...patient, bytes: 4 << 20 };
    const { caller, leave } = leaving();
    const many = Array.from({ length: 32 }, () => calls.run('Submit', { ...caller, bytes: large.bytes }, endless));
    expect(await reasonOf(calls.run('Submit', large, endless))).toBe('OVERLOADED');
    expect(await calls.run('muster.worker.v1.SessionService/ReportAttempts', large, async () => 7)).toBe(7);
    leave();
    await Promise.allSettled(many);
    expect(await calls.run('Submit', large, async () => 8)).toBe(8);
  });

  it('is known to what it runs, on the way to the database, too', async () => {
    const calls = new Calls(quiet, unmeasured);
    const asked = async () => currentCall.getStore();
    let given: AbortSignal | undefined;
    const found = await calls.run('Get', patient, async (signal) => {
      given = signal;
      return asked();
    });
    expect(found).toBe(given);
    async function* answers() {
      yield await asked();
    }
    for await (const signal of calls.stream('Watch', patient, answers)) expect(signal).toBeInstanceOf(AbortSignal);
    expect(currentCall.getStore()).toBeUndefined();
  });

  it('does not begin after its deadline', async () => {
    const work = vi.fn(endless);
    for (const leftMs of [0, -1]) {
      expect(await reasonOf(new Calls(quiet, unmeasured).run('Get', { ...patient, leftMs }, work))).toBe(
        'DEADLINE_EXCEEDED',
      );
    }
    expect(work).not.toHaveBeenCalled();
  });

  it('ends at its deadline and aborts its work', async () => {
    let notified: AbortSignal | undefined;
    const call = new Calls(quiet, unmeasured).run('Get', { ...patient, leftMs: 5 }, (signal) => {
      notified = signal;
      return endless();
    });
    expect(await reasonOf(call)).toBe('DEADLINE_EXCEEDED');
    expect(notified?.aborted).toBe(true);
  });

  it('ends when its caller leaves, and removes its listener from the caller', async () => {
    const { caller, leave, listeners } = leaving();
    const call = new Calls(quiet, unmeasured).run('Get', caller, endless);
    expect(listeners.size).toBe(1);
    leave();
    expect(await reasonOf(call)).toBe('CALL_CANCELLED');
    expect(listeners.size).toBe(0);
  });

  it('logs an internal failure under the id that the caller gets', async () => {
    const error = vi.fn();
    const call = new Calls({ ...quiet, error }, unmeasured).run('Get', patient, async () => {
      throw new Error('secret');
    });
    const failure = await call.catch((thrown: CallFailure) => thrown);
    expect(failure).toBeInstanceOf(CallFailure);
    expect((failure as CallFailure).message).not.toContain('secret');
    const [facts] = error.mock.calls[0] ?? [];
    expect((failure as CallFailure).message).toContain(facts.errorId);
    expect(facts).toMatchObject({ rpc: 'Get', error: expect.stringContaining('secret') });
  });
});

describe('a stream', () => {
  async function* numbers() {
    yield 1;
    yield 2;
  }

  it('does not keep messages that it has passed on', async () => {
    const passed: WeakRef<object>[] = [];
    const stream = new Calls(quiet, unmeasured).stream('Watch', patient, async function* () {
      for (;;) {
        const message = { passed: passed.length };
        passed.push(new WeakRef(message));
        yield message;
      }
    });
    for (let i = 0; i < 100; i++) await stream.next();
    await eventually('the first are gone', () => {
      collect();
      return passed.filter((message) => message.deref() === undefined).length >= 98;
    });
    await stream.return();
  });

  it('passes on each message that its work yields', async () => {
    const seen: number[] = [];
    for await (const number of new Calls(quiet, unmeasured).stream('Watch', patient, numbers)) seen.push(number);
    expect(seen).toEqual([1, 2]);
  });

  it('ends when its caller leaves although its work is blocked', async () => {
    const { caller, leave } = leaving();
    const stream = new Calls(quiet, unmeasured).stream('Watch', caller, async function* () {
      yield 1;
      await endless();
    });
    await stream.next();
    const next = stream.next();
    leave();
    expect(await reasonOf(next)).toBe('CALL_CANCELLED');
  });

  it('closes its work when the reader stops early', async () => {
    const closed = vi.fn();
    const stream = new Calls(quiet, unmeasured).stream('Watch', patient, async function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed();
      }
    });
    for await (const _ of stream) break;
    expect(closed).toHaveBeenCalledOnce();
  });
});

describe('calls', () => {
  it('are refused above 20,000 at once, streams included, until one ends', async () => {
    const calls = new Calls(quiet, unmeasured);
    const { caller, leave } = leaving();
    const last = calls.run('Wait', caller, endless);
    for (let i = 0; i < 19_998; i++) calls.run('Wait', patient, endless);
    const stream = calls.stream('Watch', patient, async function* () {
      yield 1;
    });
    await stream.next();
    expect(await reasonOf(calls.run('Get', patient, endless))).toBe('OVERLOADED');
    leave();
    await reasonOf(last);
    expect(await calls.run('Get', patient, async () => 'room')).toBe('room');
  });

  it('are refused while the replica stops, and calls in progress continue', async () => {
    const calls = new Calls(quiet, unmeasured);
    let finish = (_: string) => {};
    const underWay = calls.run('Get', patient, () => new Promise<string>((resolve) => (finish = resolve)));
    calls.stop();
    expect(await reasonOf(calls.run('Get', patient, endless))).toBe('SHUTTING_DOWN');
    finish('done');
    expect(await underWay).toBe('done');
  });
});

describe('the meter of calls', () => {
  const measured: MeasuredCall[] = [];
  const meter: CallMeter = {
    ended(call, seconds) {
      expect(seconds).toBeGreaterThanOrEqual(0);
      measured.push(call);
    },
  };
  const codesOf = (method: string) => measured.filter((call) => call.method === method).map(({ code }) => code);
  const calls = new Calls(quiet, meter);

  it('records a call under the code of its answer', async () => {
    await calls.run('a', patient, async () => 1);
    await calls.run('a', { ...patient, leftMs: 0 }, endless).catch(() => {});
    const { caller, leave } = leaving();
    const left = calls.run('a', caller, endless).catch(() => {});
    leave();
    await left;
    expect(codesOf('a')).toEqual(['OK', 'DEADLINE_EXCEEDED', 'CANCELLED']);
  });

  it('records a stream once, when it ends', async () => {
    const numbers = async function* () {
      yield* [1, 2, 3];
    };
    for await (const _ of calls.stream('s', patient, numbers)) expect(codesOf('s')).toEqual([]);
    for await (const _ of calls.stream('s', patient, numbers)) break;
    expect(codesOf('s')).toEqual(['OK', 'CANCELLED']);
  });

  it('records a call that a stopping replica refused', async () => {
    calls.stop();
    await calls.run('r', patient, endless).catch(() => {});
    expect(codesOf('r')).toEqual(['UNAVAILABLE']);
  });
});
