/** CEL adds integers to integers and doubles to doubles. All numbers of JSON are doubles, and users write `n + 1`. */
import { type CelFunc, CelScalar, celFunc } from '@bufbuild/cel';

const { INT, DOUBLE } = CelScalar;

const operations: Readonly<Record<string, (left: number, right: number) => number>> = {
  '_+_': (left, right) => left + right,
  '_-_': (left, right) => left - right,
  '_*_': (left, right) => left * right,
  '_/_': (left, right) => left / right,
  '_%_': (left, right) => left % right,
};

/**
 * Operations on an integer and a double, in either order, and the remainder of doubles, which CEL lacks. Results are
 * doubles.
 */
export const mixedArithmetic: CelFunc[] = [
  ...Object.entries(operations).flatMap(([name, of]) => [
    celFunc(name, [INT, DOUBLE], DOUBLE, (left, right) => of(Number(left), right)),
    celFunc(name, [DOUBLE, INT], DOUBLE, (left, right) => of(left, Number(right))),
  ]),
  celFunc('_%_', [DOUBLE, DOUBLE], DOUBLE, (left, right) => left % right),
];
