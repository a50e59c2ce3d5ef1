/** Output functions of the demos. */

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Indents each line that is not empty by two spaces. */
export function indented(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, '  ');
}
