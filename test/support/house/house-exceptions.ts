/** Known faults by the beginning of their text, each with a reason. Empty: the source tree breaks no rule. */
export const exceptions: Readonly<Record<string, string>> = {};

/** The faults without the known ones, plus the exceptions that are no longer needed. */
export function beyondExceptions(faults: readonly string[], excepted = exceptions): string[] {
  const known = Object.keys(excepted);
  const isKnown = (fault: string) => known.some((start) => fault.startsWith(start));
  const stale = known.filter((start) => !faults.some((fault) => fault.startsWith(start)));
  return [
    ...faults.filter((fault) => !isKnown(fault)),
    ...stale.map((start) => `the exception "${start}" is not needed any more`),
  ];
}
