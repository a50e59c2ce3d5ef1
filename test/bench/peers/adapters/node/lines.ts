/** Writes JSON, one object per line, and ends the process when its parent is gone. */
import { createInterface } from 'node:readline';

export function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Milliseconds since 1970, with fractions. */
export const now = () => performance.timeOrigin + performance.now();

/** Calls `listener` with each request. At the end of the input it calls `end` and exits. */
export function listen(listener: (request: unknown) => void, end: () => Promise<unknown>): void {
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => listener(JSON.parse(line)));
  lines.on('close', () => void end().finally(() => process.exit()));
}
