/**
 * Names of definitions that the control plane makes itself. Callers can neither submit jobs of them nor change them.
 */

export const RESERVED = 'begins with "muster.", as only the names of what the control plane makes itself do';

export function isReserved(definition: string): boolean {
  return definition.startsWith('muster.');
}
