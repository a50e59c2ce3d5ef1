/** `muster start` on an existing NATS, as a process: what its log says about the credentials of workers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Worker } from '@muster-jobs/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from '../../chaos/harness/child.ts';
import { eventually } from '../../support/base/eventually.ts';
import { type ScratchNats, startNats } from '../../support/base/nats.ts';
import { makeScratchFolder, removeFolder } from '../../support/base/replica.ts';

let nats: ScratchNats;
let folder: string;

beforeAll(async () => {
  [nats, folder] = await Promise.all([startNats(), makeScratchFolder()]);
});

afterAll(async () => {
  await nats?.stop();
  if (folder) await removeFolder(folder);
});

function startProcess(name: string, ...options: string[]): Child {
  const ports = ['--grpc-port', '0', '--http-port', '0', '--data', join(folder, name)];
  return new Child({ name, command: process.execPath, args: ['server/cli/muster.ts', 'start', ...ports, ...options] });
}

/** Its gRPC address, once it serves. */
function addressOf(child: Child): Promise<string> {
  const line = () => child.lines.join('\n').match(/gRPC\s+(\S+)/)?.[1];
  return eventually('the control plane is up', line, { timeoutMs: 60_000 }).catch((error) => {
    throw new Error(`${error.message}\n${child.lines.join('\n')}`);
  });
}

/** Log messages at level warn and above. */
function warnings(child: Child): string[] {
  return child.lines
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { level: number; msg: string })
    .filter(({ level }) => level >= 40)
    .map(({ msg }) => msg);
}

/** Runs one job on a worker over this bus. */
async function runOne(address: string): Promise<unknown> {
  const worker = new Worker({ address, name: 'one', handlers: { one: () => 1 }, logger: { log: () => {} } });
  const running = worker.run();
  const client = new Client({ address });
  try {
    await client.applyDefinition({ name: 'one' });
    return await client.result(await client.submit('one'), { timeoutMs: 60_000 });
  } finally {
    client.close();
    await worker.stop();
    await running;
  }
}

describe('muster start --nats', () => {
  it('warns if workers share the credentials of the replicas, and prints no secret', async () => {
    const child = startProcess('shared', '--nats', nats.url, '--nats-credentials', nats.credentialsFile);
    try {
      expect(await runOne(await addressOf(child))).toBe(1);
      expect(warnings(child)).toEqual([expect.stringMatching(/^no signing seed for the bus: workers share its cred/)]);
      expect(child.lines.join('\n')).not.toContain(nats.replica.seed);
    } finally {
      await child.stop(20_000);
    }
  });

  it('does not warn if each worker gets its own', async () => {
    const keys = ['--nats-credentials', nats.credentialsFile, '--nats-signing-seed', nats.signingSeedFile];
    const child = startProcess('own', '--nats', nats.url, ...keys);
    try {
      expect(await runOne(await addressOf(child))).toBe(1);
      expect(warnings(child)).toEqual([]);
      expect(child.lines.join('\n')).not.toContain(readFileSync(nats.signingSeedFile, 'utf8').trim());
    } finally {
      await child.stop(20_000);
    }
  });

  it('refuses credentials without a bus', async () => {
    const child = startProcess('alone', '--nats-credentials', nats.credentialsFile);
    expect(await child.ended).toBe(2);
    expect(child.lines).toEqual([
      'muster: --nats-credentials: is for NATS servers that are there already: name them as well (--nats), or leave it out',
    ]);
  });
});
