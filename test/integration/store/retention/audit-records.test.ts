/** Audit records are deleted a year after their event, except those of erased jobs. */

import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { auditActions } from '../../../../server/domain/namespaces/audit.ts';
import { storeKinds } from '../../../support/databases/databases.ts';
import { moveClock } from '../../../support/store/store-clock.ts';
import { sql, useStore } from '../../../support/store/store-context.ts';
import { makeLane } from '../../../support/store/store-fixtures.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

describe.each(storeKinds)('audit records on %s', (kind) => {
  const context = useStore(kind);

  afterEach(() => moveClock(context, 0));

  async function left(): Promise<string[]> {
    while ((await context.store.clearExpired()).more);
    return (await sql(context, 'SELECT action FROM audit_records ORDER BY action')).map((row) => row.action as string);
  }

  it('are kept for a year, those of erased jobs for good', async () => {
    await makeLane(context);
    const actions = Object.keys(auditActions).sort();
    for (const action of actions)
      await sql(
        context,
        `INSERT INTO audit_records (audit_id, record_time, action, namespace, job_id, reason)
         VALUES ('${randomUUID()}', muster_now(), '${action}', 'default', '${randomUUID()}', '')`,
      );
    await moveClock(context, 364 * DAY_MS);
    expect(await left()).toEqual(actions);
    await moveClock(context, 367 * DAY_MS);
    expect(await left()).toEqual(['ERASE_JOB']);
    await moveClock(context, 9_999 * DAY_MS);
    expect(await left()).toEqual(['ERASE_JOB']);
  });
});
