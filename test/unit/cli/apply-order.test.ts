/** Definitions from files are applied after those they refer to, and otherwise in their order in the files. */
import { create } from '@bufbuild/protobuf';
import { JobDefinitionSchema } from '@muster-jobs/sdk/grpc';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inOrder } from '../../../server/cli/input/apply-order.ts';

function task(name: string) {
  return { definition: create(JobDefinitionSchema, { name, body: { case: 'task', value: {} } }) };
}

function flow(name: string, ...definitions: string[]) {
  const steps = definitions.map((definition, i) => ({ name: `s${i}`, definition }));
  return { definition: create(JobDefinitionSchema, { name, body: { case: 'workflow', value: { steps } } }) };
}

const namesOf = (wanted: Parameters<typeof inOrder>[0]) =>
  inOrder(wanted)
    .map(({ definition }) => definition.name)
    .join(' ');

it.each([
  ['tasks keep their order', [task('b'), task('a')], 'b a'],
  ['a workflow behind its tasks stays in place', [task('b'), flow('w', 'b'), task('a')], 'b w a'],
  ['a workflow moves behind its tasks', [flow('w', 'b', 'a', 'elsewhere'), task('a'), task('b')], 'b a w'],
  [
    'a workflow moves behind tasks that it reaches through another workflow',
    [flow('x', 'w'), flow('w', 'a'), task('a')],
    'a w x',
  ],
  ['two definitions of one name keep their order', [flow('w', 'a'), task('a'), task('a')], 'a a w'],
  ['a cycle does not fail', [flow('x', 'w'), flow('w', 'x'), flow('y', 'y')], 'w x y'],
])('%s', (_what, wanted, names) => {
  expect(namesOf(wanted)).toBe(names);
});

it('each definition comes once, and after those it refers to unless they form a cycle', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.array(name, { maxLength: 3 }))), (made) => {
      const wanted = made.map(([one, others]) => flow(one, ...others.filter((other) => other > one)));
      const ordered = inOrder(wanted);
      expect(new Set(ordered)).toEqual(new Set(wanted));
      expect(ordered).toHaveLength(wanted.length);
      for (const [place, { definition }] of ordered.entries())
        for (const { definition: later } of ordered.slice(place + 1))
          expect(definition.body.value).not.toMatchObject({
            steps: expect.arrayContaining([expect.objectContaining({ definition: later.name })]),
          });
    }),
  );
});
