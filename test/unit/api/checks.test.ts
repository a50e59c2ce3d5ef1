/** Checks of fields that requests share. */
import { expect, it } from 'vitest';
import { checkLabels, checkProse } from '../../../server/api/base/checks.ts';
import { Violations } from '../../../server/api/base/violations.ts';

it('a control character in the key of a label shows in the refusal', () => {
  const violations = new Violations();
  checkLabels({ 'a\0': 'b' }, 64, 'labels', violations);
  expect(() => violations.throwIfAny()).toThrow('labels has the key "a\\u0000"; must be');
});

it.each([
  [4, ''],
  [5, 'message is 5 characters long; at most 4 are allowed'],
  [9, 'message is 9 characters long; at most 4 are allowed'],
])(
  'a text of %i characters outside of the basic plane, of which 4 are allowed, is refused with "%s"',
  (count, refusal) => {
    const violations = new Violations();
    checkProse('😀'.repeat(count), 4, 'message', violations);
    const thrown = () => violations.throwIfAny();
    if (refusal) expect(thrown).toThrow(refusal);
    else expect(thrown).not.toThrow();
  },
);
