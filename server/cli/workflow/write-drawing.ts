/** Writes a drawing to stdout or to a file. */
import { writeFile } from 'node:fs/promises';
import { pathOf } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import type { Invocation } from '../invocation.ts';

export async function writeDrawing(
  { out, process }: Invocation,
  text: string,
  file: string | undefined,
): Promise<void> {
  if (file === undefined) return out.line(text.trimEnd());
  await writeFile(pathOf(process, file), text).catch((error: Error) => {
    throw new CliError({ message: `--file: ${error.message}`, next: 'name a file that can be written', cause: error });
  });
}
