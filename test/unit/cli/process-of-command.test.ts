/** Each command of muster knows its process. */
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { processOf } from '../../../server/cli/muster-command.ts';

it('a command of another program has none', () => {
  expect(() => processOf(new Command('other'))).toThrow('other is no command of muster');
});
