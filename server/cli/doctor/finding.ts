/** The result of a check. */

export type Level = 'OK' | 'NOTE' | 'WARNING' | 'ERROR';

export interface Finding {
  /** The subject of the check, such as "clock". */
  readonly check: string;
  readonly level: Level;
  readonly message: string;
  /** What to do about it. Empty: nothing. */
  readonly next: string;
}

const order: readonly Level[] = ['OK', 'NOTE', 'WARNING', 'ERROR'];

export function finding(check: string, level: Level, message: string, next = ''): Finding {
  return { check, level, message, next };
}

/** The most severe level. */
export function worst(findings: readonly Finding[]): Level {
  return findings.reduce<Level>(
    (level, one) => (order.indexOf(one.level) > order.indexOf(level) ? one.level : level),
    'OK',
  );
}

/** The first few names as a list for a sentence. */
export function some(names: readonly string[], most = 8): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
