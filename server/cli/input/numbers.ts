/** Whole numbers as options. */
import { InvalidArgumentError } from 'commander';

/** A parser for whole numbers within the bounds. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value))
      throw new InvalidArgumentError('It takes a whole number.');
    if (value >= min && value <= max) return value;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `at least ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It takes a whole number ${bounds}.`);
  };
}

/** For an option that may be repeated: all its values. */
export function repeated(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
