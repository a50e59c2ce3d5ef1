/** Names that may contain dots and underscores: names of definitions and of data assets. */

const pattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

export function isDottedName(text: string): boolean {
  return pattern.test(text);
}
