/** Known faults by the beginning of their text, each with a reason. The list may only shrink. */

const TESTS = 'the tests follow the layout of the server later';

export const exceptions: Readonly<Record<string, string>> = {
  'test/support: has ': TESTS,
};

/** The faults without the known ones, plus the exceptions that are no longer needed. */
export function beyondExceptions(faults: readonly string[]): string[] {
  const known = Object.keys(exceptions);
  const isKnown = (fault: string) => known.some((start) => fault.startsWith(start));
  const stale = known.filter((start) => !faults.some((fault) => fault.startsWith(start)));
  return [
    ...faults.filter((fault) => !isKnown(fault)),
    ...stale.map((start) => `the exception "${start}" is not needed any more`),
  ];
}
