/** Placement: which sessions can run which jobs, compared with the definition written out, and canonical texts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Demands } from '../../../server/domain/dispatch/demands.ts';
import {
  canonicalDemands,
  classKey,
  fits,
  isPreferred,
  type LaneKey,
  parseDemands,
  type SessionClass,
  takesResources,
} from '../../../server/domain/dispatch/placement.ts';
import { labels, name, shuffled } from '../base/arbitraries.ts';

const version = fc.integer({ min: 1, max: 4 });
const someName = fc.constantFrom('resize', 'mail', 'sum');
const namespace = fc.constantFrom('default', 'other');

const handler = fc.record({
  name: someName,
  minVersion: fc.integer({ min: 0, max: 4 }),
  maxVersion: fc.integer({ min: 0, max: 4 }),
});
const sessionClass: fc.Arbitrary<SessionClass> = fc.record({
  namespace,
  handlers: fc.array(handler, { maxLength: 3 }),
  labels,
});

function lane(demanded: Record<string, string>, rest: Pick<LaneKey, 'namespace' | 'definitionVersion'>): LaneKey {
  return {
    ...rest,
    queue: 'default',
    definition: 'any',
    demands: canonicalDemands({ labels: demanded }),
    suspect: false,
  };
}

const laneFacts = fc.record({ namespace, definitionVersion: version });

describe('fits', () => {
  it('requires the namespace, the handler with the version, and labels that meet all demands', () => {
    let yes = 0;
    fc.assert(
      fc.property(sessionClass, labels, laneFacts, someName, (offer, demanded, facts, wanted) => {
        const serves = offer.handlers.some(
          (h) =>
            h.name === wanted &&
            facts.definitionVersion >= h.minVersion &&
            (h.maxVersion === 0 || facts.definitionVersion <= h.maxVersion),
        );
        const superset = Object.entries(demanded).every(
          ([key, value]) => Object.hasOwn(offer.labels, key) && offer.labels[key] === value,
        );
        const expected = offer.namespace === facts.namespace && serves && superset;
        if (expected) yes++;
        expect(fits(offer, lane(demanded, facts), wanted)).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(yes, 'cases that fit').toBeGreaterThan(20);
  });

  it('accepts a session that offers exactly the demands, and one that offers more', () => {
    fc.assert(
      fc.property(labels, labels, laneFacts, someName, (demanded, more, facts, wanted) => {
        const handlers = [{ name: wanted, minVersion: 0, maxVersion: 0 }];
        const offer = { namespace: facts.namespace, handlers, labels: { ...more, ...demanded } };
        expect(fits(offer, lane(demanded, facts), wanted)).toBe(true);
        expect(fits({ ...offer, namespace: 'elsewhere' }, lane(demanded, facts), wanted)).toBe(false);
      }),
    );
  });

  it('ignores the suspect mark, which the claim checks', () => {
    fc.assert(
      fc.property(sessionClass, labels, laneFacts, someName, (offer, demanded, facts, wanted) => {
        const plain = lane(demanded, facts);
        expect(fits(offer, { ...plain, suspect: true }, wanted)).toBe(fits(offer, plain, wanted));
      }),
    );
  });
});

const resources = fc.dictionary(
  fc.constantFrom('cpu', 'gpu', 'memory', 'constructor'),
  fc.constantFrom(0.001, 0.5, 1, 2, 4),
  { maxKeys: 3, noNullPrototype: true },
);
const demands: fc.Arbitrary<Demands> = fc
  .record(
    {
      labels,
      resources,
      required: fc.constantFrom('labels.zone == "eu"', 'has(labels.gpu)'),
      preferred: fc.constantFrom('labels.zone == "us"', '!has(labels.a)'),
      memoryGrowth: fc.constant({ factor: 2, max: 100 }),
      sticky: fc.constantFrom({ worker: 'a', mode: 'HARD' as const }, { worker: 'b', mode: 'SOFT' as const }),
    },
    { requiredKeys: ['labels'] },
  )
  .map(({ resources: some, ...rest }) => (some && Object.keys(some).length > 0 ? { ...rest, resources: some } : rest));

describe('demands beyond labels', () => {
  const handlers = [{ name: 'any', minVersion: 0, maxVersion: 0 }];
  const laneWith = (given: Demands): LaneKey => ({
    ...lane({}, { namespace: 'default', definitionVersion: 1 }),
    demands: canonicalDemands(given),
  });

  it('are met by a session with enough of every resource for which the expression is true', () => {
    let yes = 0;
    fc.assert(
      fc.property(demands, labels, resources, (given, offered, total) => {
        const offer: SessionClass = { namespace: 'default', handlers, labels: offered, resources: total };
        const has = (name: string) => (Object.hasOwn(total, name) ? (total[name] as number) : 0);
        const isTrue = {
          'labels.zone == "eu"': offered.zone === 'eu',
          'has(labels.gpu)': Object.hasOwn(offered, 'gpu'),
        };
        const expected =
          fits(offer, laneWith({ labels: given.labels }), 'any') &&
          Object.entries(given.resources ?? {}).every(([name, amount]) => has(name) >= amount) &&
          (given.required === undefined || isTrue[given.required as keyof typeof isTrue]);
        if (expected && (given.resources || given.required)) yes++;
        expect(fits(offer, laneWith(given), 'any')).toBe(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(yes, 'cases that fit').toBeGreaterThan(10);
  });

  it('prefer sessions by labels only, and prefer none when nothing is preferred', () => {
    fc.assert(
      fc.property(demands, labels, (given, offered) => {
        const isTrue = { 'labels.zone == "us"': offered.zone === 'us', '!has(labels.a)': !Object.hasOwn(offered, 'a') };
        const expected = given.preferred === undefined || isTrue[given.preferred as keyof typeof isTrue];
        expect(isPreferred({ labels: offered }, given)).toBe(expected);
      }),
    );
  });

  it('survive encoding, and have the same text in whatever order they are written', () => {
    const both = demands.chain((given) =>
      fc.tuple(fc.constant(given), shuffled(given as object as Record<string, unknown>), shuffled(given.labels)),
    );
    fc.assert(
      fc.property(both, ([given, other, sameLabels]) => {
        const text = canonicalDemands(given);
        expect(parseDemands(text)).toEqual(given);
        expect(canonicalDemands({ ...(other as object as Demands), labels: sameLabels })).toBe(text);
        expect(takesResources({ demands: text })).toBe(given.resources !== undefined);
      }),
    );
  });
});

describe('canonicalDemands', () => {
  it('is the same for any order of labels', () => {
    const both = labels.chain((given) => fc.tuple(fc.constant(given), shuffled(given)));
    fc.assert(
      fc.property(both, ([one, other]) => {
        expect(canonicalDemands({ labels: one })).toBe(canonicalDemands({ labels: other }));
      }),
    );
  });

  it('differs for different labels, and decodes to its input', () => {
    fc.assert(
      fc.property(labels, labels, (one, other) => {
        const text = canonicalDemands({ labels: one });
        expect(text === '' ? {} : JSON.parse(text)).toEqual(one);
        const same = JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
        expect(text === canonicalDemands({ labels: other })).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('classKey', () => {
  const named = fc.record({ name, minVersion: fc.nat(3), maxVersion: fc.nat(3) });
  const offers = fc.record({ namespace, handlers: fc.array(named, { maxLength: 4 }), labels });

  it('is the same for any order of handlers and labels', () => {
    const both = offers.chain((offer) =>
      fc.tuple(
        fc.constant(offer),
        fc.shuffledSubarray(offer.handlers, { minLength: offer.handlers.length }),
        shuffled(offer.labels),
      ),
    );
    fc.assert(
      fc.property(both, ([offer, handlers, sameLabels]) => {
        expect(classKey({ ...offer, handlers, labels: sameLabels })).toBe(classKey(offer));
      }),
    );
  });

  it('differs for a different offer', () => {
    fc.assert(
      fc.property(offers, named, fc.constantFrom('tier', 'disk'), (offer, extra, key) => {
        expect(classKey({ ...offer, handlers: [...offer.handlers, extra] })).not.toBe(classKey(offer));
        expect(classKey({ ...offer, labels: { ...offer.labels, [key]: 'x' } })).not.toBe(classKey(offer));
        expect(classKey({ ...offer, namespace: 'third' })).not.toBe(classKey(offer));
        expect(classKey({ ...offer, resources: { gpu: 1 } })).not.toBe(classKey(offer));
      }),
    );
  });
});
