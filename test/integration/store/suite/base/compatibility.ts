/**
 * The data that a new version of a definition is checked against: connected workers, and versions pinned by open jobs.
 */
import { describe, expect, it } from 'vitest';
import { systemFailure } from '../../../../../server/domain/base/payload.ts';
import { definitionDefaults } from '../../../../../server/domain/definitions/definition.ts';
import { decideFail } from '../../../../../server/domain/jobs/decide.ts';
import { NO_ID } from '../../../../../server/engine/base/pages.ts';
import type { StoreContext } from '../../../../support/store/store-context.ts';
import {
  claimMany,
  completionOf,
  keyOf,
  makeCall,
  makeJob,
  makeLane,
  only,
  openWorker,
  submitMany,
} from '../../../../support/store/store-fixtures.ts';

export function compatibilitySuite(context: StoreContext): void {
  describe('worker offers', () => {
    it('are read from open sessions of the namespace', async () => {
      const namespace = 'offers';
      const handlers = [{ name: 'mail', minVersion: 2, maxVersion: 3 }];
      const kept = await openWorker(context, { namespace, workerName: 'a', handlers, labels: { zone: 'b' } });
      const { sessionId } = await openWorker(context, { namespace, workerName: 'b' });
      const draining = await openWorker(context, { namespace, workerName: 'c' });
      await openWorker(context, { namespace: 'elsewhere', workerName: 'd' });
      await context.store.renewSessions([{ sessionId: draining.sessionId, pingEcho: 0, draining: true }], 60_000, 0);
      const names = async () =>
        (await context.store.listOffers(namespace, NO_ID, 9)).map(({ workerName }) => workerName).sort();
      expect(await names()).toEqual(['a', 'b']);
      await context.store.closeSessions([sessionId], 'CLOSE');
      expect(only(await context.store.listOffers(namespace, NO_ID, 9))).toEqual({
        sessionId: kept.sessionId,
        namespace,
        workerName: 'a',
        handlers,
        labels: { zone: 'b' },
        resources: { cpu: 2 },
      });
    });
  });

  describe('versions with open jobs', () => {
    it('are older ones, whatever the states of the jobs', async () => {
      const definition = 'in-flight';
      const lane = (definitionVersion: number, changes = {}) =>
        makeLane(context, { definition, definitionVersion, ...changes });
      await submitMany(context, await lane(1), 1);
      const scheduled = makeJob(await lane(2), { state: 'SCHEDULED', runTimeUs: Date.now() * 1000 + 3_600e6 });
      await context.store.submit([makeCall([scheduled])]);
      const { sessionId } = await openWorker(context);
      await submitMany(context, await lane(3), 1);
      const held = only(await claimMany(context, await lane(3), sessionId, 1));
      await submitMany(context, await lane(4), 1);
      const ended = only(await claimMany(context, await lane(4), sessionId, 1));
      await context.store.complete([completionOf(ended)]);
      await submitMany(context, await lane(5), 1);
      await submitMany(context, await lane(1, { namespace: 'other', definition: 'in-flight-2' }), 1);
      const versions = (below: number) => context.store.readOpenVersions('default', definition, below);
      expect(await versions(5)).toEqual([3, 2, 1]);
      expect(await versions(3)).toEqual([2, 1]);
      expect(await versions(1)).toEqual([]);
      expect(await context.store.readOpenVersions('other', definition, 9)).toEqual([]);
      const failure = { ...systemFailure('APPLICATION', 'E', 'no'), nonRetryable: true };
      await context.store.change({ by: 'attempts', attempts: [keyOf(held)] }, (run, nowUs) =>
        decideFail(run, failure, definitionDefaults.retryPolicy, { nowUs, random: 0 }),
      );
      expect(await versions(5)).toEqual([2, 1]);
    });

    it('are listed once each, in however many lanes, at most twenty', async () => {
      const definition = 'many-lanes';
      for (let definitionVersion = 1; definitionVersion <= 22; definitionVersion++) {
        await submitMany(context, await makeLane(context, { definition, definitionVersion }), 1);
      }
      for (const queue of ['a', 'b']) {
        await submitMany(context, await makeLane(context, { definition, definitionVersion: 21, queue }), 1);
      }
      const found = await context.store.readOpenVersions('default', definition, 23);
      expect(found).toEqual(Array.from({ length: 20 }, (_, i) => 22 - i));
    });
  });
}
