/** Amounts of resources as options take them: `--demand memory=4Gi`, repeated. */
import { InvalidArgumentError } from 'commander';
import { label } from './labels.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 };
const AMOUNT = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|Ti)?$/;

export function amount(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [entry] = Object.entries(label(text));
  const [name = '', given = ''] = entry ?? [];
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The resource "${name}" is there twice.`);
  const [, number, unit = ''] = AMOUNT.exec(given) ?? [];
  if (number === undefined)
    throw new InvalidArgumentError('It takes NAME=AMOUNT, such as cpu=2, cpu=0.5, gpu=1 or memory=4Gi.');
  return Object.fromEntries([...Object.entries(before), [name, Number(number) * (UNITS[unit] as number)]]);
}
