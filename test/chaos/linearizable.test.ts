/** The checker of what clients saw: it accepts histories that can have happened, and notices planted ones that can not. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith, go } from '../support/run/toolchains.ts';
import { LinearizabilityChecker } from './checker/linearizable.ts';
import type { Answer, Operation } from './load/registers.ts';

const BUILD_MS = 300_000;

type Step = readonly [op: string, call: number, end: number | null, answer?: Answer];

function history(kind: Operation['kind'], steps: readonly Step[]): Operation[] {
  return steps.map(([op, call, end, answer = {}], client) => {
    return { kind, object: 'one', client, op, call, return: end, answer: end === null ? null : answer };
  });
}

const read = (value: string, attempt = 0) => ({ value, attempt });

const possible: Readonly<Record<string, readonly Operation[]>> = {
  'reads of a queue that overlap with its pause and differ': history('queue', [
    ['pause', 1, 9],
    ['read', 2, 3, { value: 'active' }],
    ['read', 4, 5, { value: 'paused' }],
  ]),
  'a pause of a queue without an answer that is done later': history('queue', [
    ['pause', 1, null],
    ['read', 2, 3, { value: 'active' }],
    ['read', 4, 5, { value: 'paused' }],
  ]),
  'a key whose job comes from a submission without an answer': history('key', [
    ['submit', 1, null],
    ['submit', 2, 3, { value: 'a', existing: true }],
    ['submit', 4, 5, { value: 'a', existing: true }],
  ]),
  'a job that is retried, and cancelled while it runs': history('job', [
    ['read', 1, 2, read('SCHEDULED')],
    ['read', 3, 4, read('RUNNING', 2)],
    ['cancel', 5, 6, read('CANCELLING', 2)],
    ['read', 7, 8, read('CANCELLED', 2)],
  ]),
  'a pause of a job that is answered after another client has resumed it': history('job', [
    ['pause', 1, 6, read('READY')],
    ['resume', 3, 4, read('READY')],
  ]),
};

const impossible: Readonly<Record<string, readonly Operation[]>> = {
  'a stale read of a paused queue': history('queue', [
    ['pause', 1, 2],
    ['read', 3, 4, { value: 'active' }],
  ]),
  'a queue that is paused by nobody': history('queue', [['read', 1, 2, { value: 'paused' }]]),
  'a queue that is paused, active and paused by one pause': history('queue', [
    ['pause', 1, null],
    ['read', 2, 3, { value: 'paused' }],
    ['read', 4, 5, { value: 'active' }],
  ]),
  'a key with two jobs': history('key', [
    ['submit', 1, 2, { value: 'a', existing: false }],
    ['submit', 3, 4, { value: 'b', existing: true }],
  ]),
  'a key that is new to two clients': history('key', [
    ['submit', 1, 2, { value: 'a', existing: false }],
    ['submit', 3, 4, { value: 'a', existing: false }],
  ]),
  'a key that nobody used before and that exists': history('key', [['submit', 1, 2, { value: 'a', existing: true }]]),
  'a job that has ended and is read as running': history('job', [
    ['read', 1, 2, read('SUCCEEDED', 1)],
    ['read', 3, 4, read('RUNNING', 1)],
  ]),
  'a job that ends by two attempts': history('job', [
    ['read', 1, 2, read('SUCCEEDED', 1)],
    ['read', 3, 4, read('SUCCEEDED', 2)],
  ]),
  'a job that runs while it is paused': history('job', [
    ['pause', 1, 2, read('PAUSED')],
    ['read', 3, 4, read('RUNNING', 1)],
  ]),
  'a job that fails after its cancel': history('job', [
    ['cancel', 1, 2, read('CANCELLING', 1)],
    ['read', 3, 4, read('FAILED', 1)],
  ]),
  'a cancel that is refused because the job was cancelled': history('job', [
    ['cancel', 1, 2, read('CANCELLED')],
    ['cancel', 3, 4, { refusal: 'JOB_ENDED' }],
  ]),
  'a job that lost an attempt': history('job', [
    ['read', 1, 2, read('READY', 2)],
    ['read', 3, 4, read('RUNNING', 2)],
  ]),
};

/** Each open pause and resume doubles what may have happened; no order explains the last read. */
const laborious = history('queue', [
  ...Array.from({ length: 40 }, (_, n): Step => [n % 2 ? 'pause' : 'resume', n, null]),
  ...Array.from(
    { length: 40 },
    (_, n): Step => ['read', 100 + 2 * n, 101 + 2 * n, { value: n % 2 ? 'paused' : 'active' }],
  ),
  ['read', 300, 301, { value: 'neither' }],
  ['read', 302, 303, { value: 'paused' }],
]);

describeWith(go, 'the checker of linearizability', () => {
  let checker: LinearizabilityChecker;
  const verdictOn = (operations: readonly Operation[], bounds = {}) =>
    Object.values(checker.check(operations, bounds))[0];

  beforeAll(() => {
    checker = LinearizabilityChecker.build();
  }, BUILD_MS);
  afterAll(() => checker?.remove());

  describe('accepts', () => {
    for (const [what, operations] of Object.entries(possible))
      it(what, () => expect(verdictOn(operations)).toMatchObject({ linearizable: 1, unknown: [], broken: [] }));
  });

  describe('notices', () => {
    for (const [what, operations] of Object.entries(impossible))
      it(what, () =>
        expect(verdictOn(operations)).toMatchObject({ linearizable: 0, broken: [`${operations[0]?.kind} one`] }),
      );
  });

  it('judges each object by itself, and counts operations without an answer', () => {
    const both = [...history('queue', [['pause', 1, null]]), ...(impossible['a key with two jobs'] ?? [])];
    expect(checker.check(both)).toMatchObject({
      queue: { linearizable: 1, operations: 1, open: 1 },
      key: { linearizable: 0, broken: ['key one'], operations: 2, open: 0 },
    });
  });

  it('calls an object unknown for which the time does not suffice', () => {
    expect(verdictOn(laborious, { totalMs: 200, eachMs: 100 })).toMatchObject({
      linearizable: 0,
      unknown: ['queue one'],
      broken: [],
    });
  });

  it('refuses a history that it can not read', () => {
    const other = [{ ...history('queue', [['read', 1, 2]])[0], kind: 'lane' }] as unknown as Operation[];
    expect(() => checker.check(other)).toThrow('unknown kind "lane"');
  });

  it.each([
    ['is formatted', 'test -z "$(gofmt -l .)"'],
    ['names all modules that it needs, and no other', 'go mod tidy -diff'],
    ['has no findings of go vet', 'go vet ./...'],
  ])('%s', (_, command) => {
    execFileSync('sh', ['-c', command], { cwd: new URL('linearizable', import.meta.url).pathname, timeout: BUILD_MS });
  });
});
