/** The drawn states are those of the table. `UPDATE=1` redraws them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { drawStates } from '../../support/docs/state-diagram.ts';

const file = new URL('../../../docs/states.md', import.meta.url);

it('docs/states.md shows the table of transitions', () => {
  if (process.env.UPDATE === '1') writeFileSync(file, drawStates());
  expect(readFileSync(file, 'utf8')).toBe(drawStates());
});
