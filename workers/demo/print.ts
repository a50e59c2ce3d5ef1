/** What demos print with. */

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Each line that is not empty, two places to the right. */
export function indented(lines: string): string {
  return lines.replaceAll(/^(?=.)/gm, '  ');
}
