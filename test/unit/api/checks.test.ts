/** Checks of fields that requests share. */
import { expect, it } from 'vitest';
import { checkLabels } from '../../../server/api/base/checks.ts';
import { Violations } from '../../../server/api/base/violations.ts';

it('a control character in the key of a label shows in the refusal', () => {
  const violations = new Violations();
  checkLabels({ 'a\0': 'b' }, 64, 'labels', violations);
  expect(() => violations.throwIfAny()).toThrow('labels has the key "a\\u0000"; must be');
});
