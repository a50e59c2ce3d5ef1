/** Where a drawing goes: stdout, or a file. */
import { writeFile } from 'node:fs/promises';
import { CliError } from '../cli-error.ts';
import type { Output } from '../output/output.ts';

export async function writeDrawing(out: Output, text: string, file: string | undefined): Promise<void> {
  if (file === undefined) return out.line(text.trimEnd());
  await writeFile(file, text).catch((error: Error) => {
    throw new CliError({ message: `--file: ${error.message}`, next: 'name a file that can be written', cause: error });
  });
}
