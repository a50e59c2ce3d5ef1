/** Seeded random numbers for fuzzing, with a printed seed for repeats, and the amount of fuzzing. */
import { Dice } from '../../chaos/harness/dice.ts';

/** `MUSTER_SEED` repeats a run; the default is a new seed. */
export function diceOf(name: string): Dice {
  const given = Number(process.env.MUSTER_SEED ?? Number.NaN);
  const seed = Number.isInteger(given) ? given : Math.floor(Math.random() * 2 ** 31);
  console.log(`${name}: seed ${seed} (MUSTER_SEED=${seed} repeats it, MUSTER_FUZZ=100 tries a hundred times as much)`);
  return new Dice(seed);
}

/** That many tries, times `MUSTER_FUZZ`. */
export function tries(count: number): number {
  return count * Number(process.env.MUSTER_FUZZ ?? 1);
}

export function bytesOf(dice: Dice, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => dice.int(0, 255));
}

/** The bytes with one damage: flipped bits, a piece removed, doubled or inserted, or the end missing. */
export function damaged(dice: Dice, bytes: Uint8Array): Uint8Array {
  let result = Buffer.from(bytes);
  for (let left = dice.int(1, 3); left > 0; left--) result = Buffer.from(damagedOnce(dice, result));
  return result;
}

function damagedOnce(dice: Dice, bytes: Buffer): Uint8Array {
  const [a, b] = [dice.int(0, bytes.length), dice.int(0, bytes.length)];
  const [from, to] = [Math.min(a, b), Math.max(a, b)];
  switch (dice.int(0, 5)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, from), bytesOf(dice, dice.int(1, 12)), bytes.subarray(from)]);
    case 3:
      return bytes.subarray(0, from);
    default: {
      const copy = Buffer.from(bytes);
      if (copy.length > 0) {
        const at = dice.int(0, copy.length - 1);
        copy.writeUInt8(copy.readUInt8(at) ^ (1 << dice.int(0, 7)), at);
      }
      return copy;
    }
  }
}

/** Text of letters that are valid in names, and of some that are not. */
export function textOf(dice: Dice, length: number): string {
  const odd = [
    '\u0000',
    '\n',
    '\u0085',
    ' ',
    '.',
    '*',
    '>',
    '/',
    '\\',
    '$',
    '%',
    "'",
    '"',
    '-',
    '_',
    'A',
    'ä',
    '水',
    '😀',
    '\u202e',
  ];
  const plain = 'abcxyz0189-';
  return Array.from({ length }, () => (dice.chance(0.1) ? dice.pick(odd) : dice.pick([...plain]))).join('');
}
