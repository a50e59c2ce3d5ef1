/** Finds the program of a command, so that a missing one is reported clearly before anything runs. */
import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';

/** Why the program can't be started; `undefined`: it can. `path`: the command's own PATH. */
export async function programFault(program: string, directory: string, path: string): Promise<string | undefined> {
  const isFolder = await stat(directory).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return `there is no folder "${directory}" to run it in`;
  const found = await Promise.all(placesOf(program, directory, path).map(kindOf));
  if (found.includes('program')) return undefined;
  if (found.includes('file')) return `"${program}" may not be executed: chmod +x makes a program of it`;
  const where = program.includes('/') ? `there is no file "${program}"` : `there is no "${program}" in ${path}`;
  return where;
}

function placesOf(program: string, directory: string, path: string): string[] {
  if (isAbsolute(program)) return [program];
  if (program.includes('/')) return [resolve(directory, program)];
  return path.split(delimiter).map((folder) => join(resolve(directory, folder), program));
}

async function kindOf(file: string): Promise<'program' | 'file' | undefined> {
  try {
    if (!(await stat(file)).isFile()) return undefined;
    await access(file, constants.X_OK);
    return 'program';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? 'file' : undefined;
  }
}
