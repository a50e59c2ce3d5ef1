/** Conversion of values that handlers throw to reported failures. */
import { describe, expect, test } from 'vitest';
import { toFailure } from '../../../sdk/typescript/src/worker/failure.ts';
import { InfrastructureError, NonRetryableError, RetryLater } from '../../../sdk/typescript/src/worker/handler.ts';

class QuotaError extends Error {}

describe('a failure', () => {
  test('has the type, the message and the chain of causes', () => {
    const failure = toFailure(new TypeError('outer', { cause: new RangeError('inner', { cause: 'text' }) }));
    expect(failure).toMatchObject({ type: 'TypeError', message: 'outer', nonRetryable: false, failureCause: 1 });
    expect(failure.stackTrace).toContain('failure.test.ts');
    expect(failure.cause).toMatchObject({ type: 'RangeError', message: 'inner' });
    expect(failure.cause?.cause).toMatchObject({
      type: 'NotAnError',
      message: 'the handler threw text, which is no error',
    });
  });

  test('of a subclass without its own name has the name of the class', () => {
    expect(toFailure(new QuotaError('x')).type).toBe('QuotaError');
  });

  test('may control the retry', () => {
    expect(toFailure(new NonRetryableError('never'))).toMatchObject({ type: 'NonRetryableError', nonRetryable: true });
    expect(toFailure(new RetryLater(1_500)).retryDelay).toMatchObject({ seconds: 1n, nanos: 500_000_000 });
    expect(() => new RetryLater(-1)).toThrow(RangeError);
  });

  test('may give the cause and the exit of a process', () => {
    class NoDisk extends InfrastructureError {
      override readonly name = 'NoDisk';
    }
    expect(toFailure(new NoDisk('full'))).toMatchObject({ type: 'NoDisk', failureCause: 11, exitCode: 0 });
    const ended = (exitCode: unknown) => toFailure(Object.assign(new Error('x'), { exitCode })).exitCode;
    expect([1, 137, 255].map(ended)).toEqual([1, 137, 255]);
    expect([0, -1, 256, 1.5, Number.NaN, '3', null, 1n].map(ended)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    const cause = Object.assign(new Error('inner'), { exitCode: 3 });
    expect(toFailure(new Error('outer', { cause }))).toMatchObject({ exitCode: 0, cause: { exitCode: 3 } });
  });

  test.each([undefined, null, 42, 'text', {}, Symbol('s'), Object.create(null)])(
    'is made from any thrown value: case %#',
    (thrown) => {
      expect(toFailure(thrown).type).toBe('NotAnError');
    },
  );

  test('is made from an error without a stack or with a message that is not text', () => {
    const odd = Object.assign(new Error('x'), { message: 7, name: 3, stack: undefined });
    expect(toFailure(odd)).toMatchObject({ type: '3', message: '7', stackTrace: '' });
  });

  test('is made from a value that throws when it is read', () => {
    const unreadable = new (class extends Error {
      override get message(): string {
        throw new TypeError('not for you');
      }
    })();
    expect(toFailure(unreadable)).toMatchObject({
      type: 'NotAnError',
      message: "the handler threw a value that can't be read: TypeError: not for you, which is no error",
    });
    expect(toFailure(Object.create(null)).type).toBe('NotAnError');
  });

  test('has texts cut at their bounds in bytes, and causes cut at 16 levels', () => {
    const failure = toFailure(new Error('ä'.repeat(10_000)));
    expect(Buffer.byteLength(failure.message)).toBeLessThanOrEqual(8 * 1024);
    expect(failure.message.length).toBe(4 * 1024);
    let chain = new Error('end');
    for (let i = 0; i < 30; i++) chain = new Error(`level ${i}`, { cause: chain });
    let levels = 0;
    for (let f: ReturnType<typeof toFailure> | undefined = toFailure(chain); f; f = f.cause) levels++;
    expect(levels).toBe(16);
  });

  test('is finite for a chain of causes that is a cycle', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(toFailure(loop).cause?.cause?.message).toBe('loop');
  });
});
