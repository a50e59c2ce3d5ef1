/** Results that steps share: which jobs are equivalent, which results are fresh, and which steps may have a cache. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Payload } from '../../../server/domain/base/payload.ts';
import { type CachedFrom, cacheKeyOrigin, isFresh } from '../../../server/domain/workflows/step-cache.ts';
import type { WorkflowStep } from '../../../server/domain/workflows/workflow.ts';
import { problemsOf, step, workflow } from '../../unit/domain/workflow/made-workflow.ts';

/** Few values, so that many pairs are equal, including text that looks like the end of a part. */
const word = fc.constantFrom('a', 'b', 'a","b', '"]json 1', '');
const from: fc.Arbitrary<CachedFrom> = fc.record(
  { namespace: word, definition: word, version: fc.integer({ min: 1, max: 2 }) },
  { noNullPrototype: true },
);
const json = fc.jsonValue({ maxDepth: 2 });
const small = fc.constantFrom<unknown>(null, 1, '1', [1], { a: 1, b: [2] }, { a: 1 }, {});
const kind = fc.constantFrom('input' as const, 'key' as const);
const metadata = fc.constantFrom<Payload['metadata']>(undefined, { a: '1' }, { a: '1', b: '2' });

const jsonPayload = (value: unknown, contentType = 'application/json'): Payload => ({
  data: Buffer.from(JSON.stringify(value)),
  contentType,
});
const asOne = ({ text, bytes }: ReturnType<typeof cacheKeyOrigin>) =>
  Buffer.concat([Buffer.from(text), bytes ?? new Uint8Array()]).toString('hex');

/** The same value in another spelling. */
function rewritten(value: unknown): string {
  if (Array.isArray(value)) return `[ ${value.map(rewritten).join(' , ')} ]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).reverse();
  return `{ ${entries.map(([key, of]) => `${JSON.stringify(key)} : ${rewritten(of)}`).join(' , ')} }`;
}

describe('two jobs of steps', () => {
  it('have the same cache key exactly when definition, version, input and its metadata are equal', () => {
    const job = fc.record({ from, kind, value: small, metadata }, { noNullPrototype: true });
    /** Mostly the same values, so that many pairs are equal. */
    const pair = fc
      .tuple(job, job, fc.subarray(['from', 'kind', 'value', 'metadata'] as const))
      .map(([one, other, changed]) => [
        one,
        { ...one, ...Object.fromEntries(changed.map((name) => [name, other[name]])) },
      ]);
    let same = 0;
    fc.assert(
      fc.property(pair, ([one, other]) => {
        const [a, b] = [one, other].map((made) => {
          if (!made) throw new Error('there are two');
          const payload = { ...jsonPayload(made.value), ...(made.metadata && { metadata: made.metadata }) };
          return asOne(cacheKeyOrigin(made.from, made.kind, payload));
        });
        const isSame = isDeepStrictEqual(one, other);
        if (isSame) same++;
        expect(a === b).toBe(isSame);
      }),
      { numRuns: 5_000 },
    );
    expect(same).toBeGreaterThan(500);
  });

  it('have the same key however their JSON is written, and with either content type of JSON', () => {
    fc.assert(
      fc.property(from, kind, json, (made, what, value) => {
        const plain = cacheKeyOrigin(made, what, jsonPayload(value));
        const other = { data: Buffer.from(rewritten(value)), contentType: '' };
        expect(asOne(cacheKeyOrigin(made, what, other))).toBe(asOne(plain));
      }),
    );
  });

  it('have the same key for inputs that are not JSON when bytes and content types are equal', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 3 });
    const type = fc.constantFrom('text/plain', 'application/octet-stream');
    fc.assert(
      fc.property(from, fc.tuple(bytes, type), fc.tuple(bytes, type), (made, one, other) => {
        const [a, b] = [one, other].map(([data, contentType]) =>
          asOne(cacheKeyOrigin(made, 'input', { data, contentType })),
        );
        expect(a === b).toBe(isDeepStrictEqual(one, other));
      }),
    );
  });

  it('have different keys for long numbers that only a double would make equal', () => {
    const made = { namespace: 'n', definition: 'd', version: 1 };
    const of = (text: string) => asOne(cacheKeyOrigin(made, 'input', { data: Buffer.from(text), contentType: '' }));
    expect(of('12345678901234567890')).not.toBe(of('12345678901234567891'));
    expect(of('1.0')).toBe(of('1'));
  });
});

describe('a cached result', () => {
  const time = fc.integer({ min: 0, max: 10_000_000 });
  const found = fc.record({ jobId: fc.constant('j'), endTimeUs: time, untilUs: time });
  const age = fc.integer({ min: 1, max: 10_000 });

  it('is fresh from its end, while it is younger than the step allows and before it expires, and never again after that', () => {
    fc.assert(
      fc.property(found, age, time, time, (result, maxAgeMs, nowUs, laterUs) => {
        const ageMs = (nowUs - result.endTimeUs) / 1_000;
        const fresh = isFresh({ maxAgeMs }, result, nowUs);
        expect(fresh).toBe(ageMs >= 0 && ageMs < maxAgeMs && nowUs < result.untilUs);
        if (!fresh && ageMs >= 0) expect(isFresh({ maxAgeMs }, result, nowUs + laterUs)).toBe(false);
        if (fresh) expect(isFresh({ maxAgeMs: maxAgeMs + 1 }, result, nowUs)).toBe(true);
      }),
    );
  });
});

it('a cache is refused exactly when skipped side effects would be missed', () => {
  const parts: fc.Arbitrary<Partial<WorkflowStep>> = fc.record(
    {
      fanOut: fc.constant({ items: '[1]' }),
      loop: fc.constant({ repeatCondition: 'false', maxIterations: 1 }),
      compensation: fc.constant({ definition: 'undo', definitionVersion: 0 }),
      role: fc.constantFrom('NORMAL' as const, 'ON_FAILURE' as const, 'FINALLY' as const),
      cache: fc.constant({ maxAgeMs: 1_000 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(parts, (more) => {
      const reported = problemsOf(workflow([step('first'), step('a', [], more)]));
      const { cache, fanOut, loop, compensation, role = 'NORMAL' } = more;
      const reasons = [fanOut, loop, compensation, role !== 'NORMAL'].filter(Boolean).length;
      expect(reported.filter((text) => text.startsWith('w.steps[1].cache ')).length).toBe(cache ? reasons : 0);
    }),
  );
});
