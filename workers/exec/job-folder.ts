/** The input files of one attempt, in a folder that is removed with it. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobContext } from '@muster-jobs/sdk';
import { checkpointBytes } from './outcome.ts';

export interface JobFolder {
  readonly path: string;
  readonly inputFile: string;
  /** `undefined`: no earlier attempt has stored one. */
  readonly checkpointFile: string | undefined;
}

/** Makes the folder within the worker's own; only this user can read it. */
export async function makeJobFolder(parent: string, context: JobContext): Promise<JobFolder> {
  const path = await mkdtemp(join(parent, 'job-'));
  const inputFile = join(path, 'input');
  await writeFile(inputFile, context.input?.data ?? '', { mode: 0o600 });
  const checkpoint = checkpointBytes(context);
  if (checkpoint === undefined) return { path, inputFile, checkpointFile: undefined };
  const checkpointFile = join(path, 'checkpoint');
  await writeFile(checkpointFile, checkpoint, { mode: 0o600 });
  return { path, inputFile, checkpointFile };
}

/** Opens the input for the command's stdin. It is a file, so the command need not read all of it. */
export async function openInput({ inputFile }: JobFolder) {
  return open(inputFile, 'r');
}

export async function removeJobFolder(folder: JobFolder | undefined): Promise<void> {
  if (folder !== undefined) await rm(folder.path, { recursive: true, force: true });
}
