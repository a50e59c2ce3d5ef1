/**
 * Page tokens that are flipped in a bit, cut, extended, or of another list, namespace or filter; names of random text.
 */

import { JobDefinitionService } from '@muster-jobs/sdk/gen/muster/v1/job_definition_service_pb';
import { JobService } from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import { WorkerService } from '@muster-jobs/sdk/gen/muster/v1/worker_service_pb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import { Refusal } from '../api/base/rpc.ts';
import { World } from '../api/base/world.ts';
import { bytesOf, damaged, diceOf, textOf, tries } from './chance.ts';
import { Vitals } from './vitals.ts';

const { applyJobDefinition, listJobDefinitions, getJobDefinition } = JobDefinitionService.method;
const { listJobs, cancelJobs } = JobService.method;
const { listWorkers } = WorkerService.method;
const dice = diceOf('tokens');

let world: World;
let vitals: Vitals;
/** A valid token of each list, by its name. */
let tokens: Record<ListName, string>;

/** Each with its request, which is the same except for the token. */
const lists = {
  definitions: (pageToken: string) => world.rpc.call(listJobDefinitions, { pageSize: 1, pageToken }),
  archived: (pageToken: string) => world.rpc.call(listJobDefinitions, { pageSize: 1, pageToken, showArchived: true }),
  elsewhere: (pageToken: string) =>
    world.rpc.call(listJobDefinitions, { namespace: 'elsewhere', pageSize: 1, pageToken }),
  jobs: (pageToken: string) => world.rpc.call(listJobs, { pageSize: 1, pageToken }),
  'jobs of a label': (pageToken: string) =>
    world.rpc.call(listJobs, { pageSize: 1, pageToken, filter: { labels: { a: '1' } } }),
  workers: (pageToken: string) => world.rpc.call(listWorkers, { pageSize: 1, pageToken }),
} as const;
type ListName = keyof typeof lists;
const names = Object.keys(lists) as ListName[];

beforeAll(async () => {
  world = await World.start();
  vitals = new Vitals(world);
  const body = { case: 'task', value: {} } as const;
  for (const namespace of ['', 'elsewhere']) {
    for (const name of ['a', 'b', 'c'])
      await world.rpc.call(applyJobDefinition, { definition: { namespace, name, body } });
  }
  for (let i = 0; i < 3; i++) {
    await world.submit('a', { labels: { a: '1' } });
    await world.openWorker('x');
  }
  const found = await Promise.all(names.map(async (name) => [name, (await lists[name]('')).nextPageToken] as const));
  tokens = Object.fromEntries(found) as Record<ListName, string>;
});

afterAll(() => world?.stop());

/** Undefined if the token was refused correctly. */
async function faultOf(list: ListName, token: string): Promise<string | undefined> {
  const answer = await lists[list](token).catch((error: unknown) => error);
  if (!(answer instanceof Refusal)) return `${list} took ${token}`;
  const good = answer.code === Code.INVALID_ARGUMENT && answer.fields.join() === 'page_token';
  return good ? undefined : `${list} refused ${token} with ${answer.code} ${answer.message}`;
}

async function faultsOf(cases: readonly (readonly [ListName, string])[]): Promise<string[]> {
  const faults: (string | undefined)[] = [];
  for (let at = 0; at < cases.length; at += 100)
    faults.push(...(await Promise.all(cases.slice(at, at + 100).map(([list, token]) => faultOf(list, token)))));
  return faults.filter((fault) => fault !== undefined);
}

describe('B43: a page token', () => {
  it('continues where it was issued', async () => {
    for (const name of names) {
      expect(tokens[name]).toMatch(/^[\w-]{20,}$/);
      await lists[name](tokens[name]);
    }
  });

  it('with any single bit flipped is refused', async () => {
    const cases = names.flatMap((name) => {
      const bytes = Buffer.from(tokens[name], 'base64url');
      return Array.from({ length: bytes.length * 8 }, (_, bit) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        return [name, copy.toString('base64url')] as const;
      });
    });
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('that is cut, extended or encoded differently is refused', async () => {
    const cases = names.flatMap((name) => {
      const token = tokens[name];
      const cut = Array.from({ length: token.length - 1 }, (_, i) => token.slice(0, i + 1));
      const other = Buffer.from(token, 'base64url').toString('base64');
      const more = ['A', '=', '==', ' ', '\n', token, '.', '%3D'].map((end) => token + end);
      return [...cut, ...more, ` ${token}`, ...(other === token ? [] : [other])].map((one) => [name, one] as const);
    });
    expect(await faultsOf(cases)).toEqual([]);
  });

  it('of another list, namespace or filter is refused', async () => {
    const cases = names.flatMap((name) =>
      names.filter((other) => other !== name).map((other) => [name, tokens[other]] as const),
    );
    expect(await faultsOf(cases)).toEqual([]);
    const refusal = await world.rpc.refused(cancelJobs, { filter: {}, pageToken: tokens.jobs, validateOnly: true });
    expect(refusal.fields).toEqual(['page_token']);
  });

  it('of random bytes, or damaged at random, is refused', async () => {
    const cases = Array.from({ length: tries(600) }, () => {
      const list = dice.pick(names);
      const bytes = Buffer.from(tokens[list], 'base64url');
      const token = dice.chance(0.3) ? bytesOf(dice, dice.int(1, 300)) : damaged(dice, bytes);
      return [list, Buffer.from(token).toString('base64url')] as const;
    }).filter(([list, token]) => token !== '' && token !== tokens[list]);
    expect(await faultsOf(cases)).toEqual([]);
  });
});

describe('B24, B25, B26: a name of random text', () => {
  /** The rule as in the contract. */
  const rule = /^[a-z0-9][a-z0-9._-]{0,62}$/;
  const reserved = /^(sys|internal)-|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

  it('is accepted if it is valid, and returned unchanged; else the answer names it', async () => {
    const body = { case: 'task', value: {} } as const;
    for (let i = 0; i < tries(300); i++) {
      const name = textOf(dice, dice.int(1, 70));
      const isName = rule.test(name) && !reserved.test(name);
      const answer = await world.rpc
        .call(applyJobDefinition, { definition: { name, body } })
        .catch((error: unknown) => error);
      if (answer instanceof Refusal) expect([name, answer.fields]).toEqual([name, ['definition.name']]);
      expect([name, answer instanceof Refusal]).toEqual([name, !isName]);
      if (isName) expect((await world.rpc.call(getJobDefinition, { name })).definition?.name).toBe(name);
    }
  });

  it('leaves the replica healthy', () => vitals.check());
});
