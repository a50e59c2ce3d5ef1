/** Starts a real replica inside the test's process: embedded by default, or on a given database and bus. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConfigInput, readConfig } from '../../../server/config.ts';
import { type RunningReplica, startReplica } from '../../../server/main.ts';
import { copyPglite } from '../run/prepared.ts';

export interface TestReplica extends RunningReplica {
  /** The folder of the embedded parts. */
  readonly dataFolder: string;
}

/** A temporary folder. The caller must remove it. */
export function makeScratchFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'muster-replica-'));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/**
 * Uses free ports, no log, and a temporary folder that `stop` removes, unless `settings` overrides them. A folder from
 * the test is kept, so that the test can read it or start on it again. An embedded database begins with the schema.
 */
export async function startTestReplica(settings: Partial<ConfigInput> = {}): Promise<TestReplica> {
  const dataFolder = settings.dataFolder ?? (await makeScratchFolder());
  const clean = settings.dataFolder === undefined ? () => removeFolder(dataFolder) : async () => undefined;
  try {
    const database = join(dataFolder, 'postgres');
    if (!settings.postgresUrl && !existsSync(database)) await copyPglite(database);
    const replica = await startReplica(
      readConfig({ grpcPort: 0, httpPort: 0, logLevel: 'silent', ...settings, dataFolder }),
    );
    return { ...replica, dataFolder, stop: () => replica.stop().finally(clean) };
  } catch (error) {
    await clean();
    throw error;
  }
}
