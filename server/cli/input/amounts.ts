/** Resource amounts as options: `--demand memory=4Gi`, repeated. */
import { InvalidArgumentError } from 'commander';
import { amountToNumber } from '../../domain/base/quantities.ts';
import { label } from './labels.ts';

export function amount(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [entry] = Object.entries(label(text));
  const [name = '', given = ''] = entry ?? [];
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The resource "${name}" is given twice.`);
  const number = amountToNumber(given);
  if (number === undefined)
    throw new InvalidArgumentError('It takes NAME=AMOUNT, such as cpu=2, cpu=0.5, gpu=1 or memory=4Gi.');
  return Object.fromEntries([...Object.entries(before), [name, number]]);
}

/** A number of bytes such as `1000` or `64Mi`. */
export function bytes(text: string): number {
  const number = amountToNumber(text);
  if (number !== undefined && Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('It takes a number of bytes above 0, such as 1000, 64Ki or 512Mi.');
}
