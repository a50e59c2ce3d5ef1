/**
 * The functions of CEL, each with its cost. The time of an evaluation is in these: every other part of an expression is
 * evaluated at most once, in constant time, since macros over lists are refused.
 */
import {
  type CelEnv,
  type CelFunc,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';
import { CHARS_PER_STEP, spend, spendText } from './cel-cost.ts';
import { patternSize } from './pattern-size.ts';

type Resolver = CelEnv['funcs'];
type Group = NonNullable<ReturnType<Resolver['find']>>;
type Cost = (...values: CelValue[]) => void;

/** As for results, see `asJson`. */
const MAX_DEPTH = 500;
/** To compile it; and for each character of the text. */
const STEPS_PER_INSTRUCTION = 100;
const STEPS_PER_MATCH = 2;
const STEPS_PER_ITEM = 2;
/** Conversions of text to integers take more than linear time. */
const STEPS_PER_DIGIT = 4;
const TIME_ZONE = 5_000;
const BYTES_PER_CHAR = 2;
const BYTES_PER_ITEM = 8;

const { INT, STRING } = CelScalar;
const LIST = listType(CelScalar.DYN);

/** Functions that the library has with more than linear time, or with memory that is not needed. */
const replaced: CelFunc[] = [
  celFunc('size', [STRING], INT, (text) => codePoints(text)),
  celMethod('size', STRING, [], INT, function () {
    return codePoints(this);
  }),
  // The library's list reads each item through all of the lists that it is made of.
  celFunc('_+_', [LIST, LIST], LIST, (left, right) => [...left, ...right]),
];

function codePoints(text: string): bigint {
  let count = text.length;
  for (let i = 1; i < text.length; i++)
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  return BigInt(count);
}

const costs = new Map<string, Cost>([
  ['_+_', sum],
  ...['_==_', '_!=_'].map((name): [string, Cost] => [name, (left, right) => equality(left, right, 0)]),
  ...['_<_', '_<=_', '_>_', '_>=_', 'startsWith', 'endsWith'].map((name): [string, Cost] => [name, comparison]),
  ['@in', membership],
  ['contains', (text, part) => spend(steps(lengthOf(text)) * steps(lengthOf(part)))],
  ['matches', matching],
  ...['int', 'uint'].map((name): [string, Cost] => [name, (value) => converted(value, STEPS_PER_DIGIT)]),
  ...['size', 'string', 'bytes', 'bool', 'double', 'timestamp', 'duration'].map((name): [string, Cost] => [
    name,
    (value) => converted(value, 1 / CHARS_PER_STEP),
  ]),
]);

/** The standard functions and `funcs`, which take constant time. */
export function meteredEnv(funcs: readonly CelFunc[]): CelEnv {
  const env = celEnv({ funcs: [...replaced, ...funcs] });
  const find = (name: string): Group | undefined => metered(name, env.funcs.find(name));
  return Object.create(env, { funcs: { value: Object.create(env.funcs, { find: { value: find } }) } });
}

/** What a `matches` with this pattern costs before it reads a text. */
export function patternCost(pattern: string): number {
  return STEPS_PER_INSTRUCTION * patternSize(pattern);
}

function metered(name: string, group: Group | undefined): Group | undefined {
  if (!group) return undefined;
  const cost = costs.get(name) ?? (name.startsWith('get') ? inTimeZone : undefined);
  const call: Group['call'] = (id, target, args) => {
    spend(1);
    cost?.(...(target === undefined ? args : [target, ...args]));
    return group.call(id, target, args);
  };
  return Object.create(group, { call: { value: call } });
}

function steps(length: number): number {
  return Math.ceil(length / CHARS_PER_STEP);
}

/** Of a text or bytes; 0 for anything else. */
function lengthOf(value: CelValue | undefined): number {
  return typeof value === 'string' || value instanceof Uint8Array ? value.length : 0;
}

/** Counted before the result is made. */
function sum(left: CelValue, right: CelValue): void {
  const length = lengthOf(left) + lengthOf(right);
  if (length > 0) spend(steps(length), length * (typeof left === 'string' ? BYTES_PER_CHAR : 1));
  if (!isCelList(left) || !isCelList(right)) return;
  const items = left.size + right.size;
  spend(STEPS_PER_ITEM * items, BYTES_PER_ITEM * items);
}

function comparison(left: CelValue, right: CelValue): void {
  spend(steps(Math.min(lengthOf(left), lengthOf(right))));
}

/** As deep as the comparison would read. */
function equality(left: CelValue | undefined, right: CelValue | undefined, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`a value is nested more than ${MAX_DEPTH} times`);
  spend(STEPS_PER_ITEM + (lengthOf(left) === lengthOf(right) ? steps(lengthOf(left)) : 0));
  if (isCelList(left) && isCelList(right) && left.size === right.size)
    for (let i = 0; i < left.size; i++) equality(left.get(i), right.get(i), depth + 1);
  else if (isCelMap(left) && isCelMap(right) && left.size === right.size)
    for (const [key, value] of left) equality(value, right.get(key), depth + 1);
}

function membership(value: CelValue, whole: CelValue): void {
  if (isCelList(whole)) for (const one of whole) equality(one, value, 0);
  else spendText(lengthOf(value));
}

function matching(text: CelValue, pattern: CelValue): void {
  if (typeof text !== 'string' || typeof pattern !== 'string') return;
  // First, since the size is found by reading it.
  spend(pattern.length);
  const size = patternSize(pattern);
  spend(size * (STEPS_PER_INSTRUCTION + STEPS_PER_MATCH * text.length));
}

/** Also the message of a conversion that fails quotes the text. */
function converted(value: CelValue, stepsPerChar: number): void {
  spend(Math.ceil(lengthOf(value) * stepsPerChar), lengthOf(value) * BYTES_PER_CHAR);
}

function inTimeZone(_time: CelValue, zone: CelValue | undefined): void {
  if (zone !== undefined) spend(TIME_ZONE);
}
