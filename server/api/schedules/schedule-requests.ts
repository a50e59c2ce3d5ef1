/** What requests about schedules and about triggers have in common. */
import { createHash } from 'node:crypto';
import { type DescMessage, type MessageShape, toBinary } from '@bufbuild/protobuf';
import type { ScheduleKind } from '../../domain/schedules/schedule.ts';
import type { ScheduleName, ScheduleRunPage } from '../../engine/ports/schedules.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkName, namespaceOf, pageSizeOf } from '../base/checks.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

interface RunsRequest extends Named {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** The schedule or trigger that a request names. Also throws the violations found so far. */
export function scheduleNameFrom(request: Named, kind: ScheduleKind, violations: Violations): ScheduleName {
  const namespace = namespaceOf(request.namespace, violations);
  checkName(request.name, 'name', violations);
  violations.throwIfAny();
  return { namespace, name: request.name, kind };
}

/** A repeat is recognized by content: the bytes of the call may differ each time, since it has maps. */
export function contentHash<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array {
  return createHash('sha256').update(toBinary(schema, message)).digest();
}

/** A page of the runs of a schedule or a trigger; `method` is that of the request. */
export async function runsPage(
  { schedules, pageTokenKey }: Replica,
  method: string,
  kind: ScheduleKind,
  request: RunsRequest,
): Promise<{ readonly runs: ScheduleRunPage['runs']; readonly nextPageToken: string }> {
  const violations = new Violations();
  const limit = pageSizeOf(request.pageSize, violations);
  const name = scheduleNameFrom(request, kind, violations);
  const key = await pageTokenKey();
  const list = [method, name.namespace, name.name];
  const position = positionOf(request.pageToken, key, list, violations);
  violations.throwIfAny();
  const [nominal = '', causeId = ''] = position?.split('/') ?? [];
  const before = position === undefined ? undefined : { nominalUs: Number(nominal), causeId };
  const { runs, hasMore } = await schedules.listRuns(name, before, limit);
  const last = hasMore ? runs.at(-1) : undefined;
  return { runs, nextPageToken: last ? pageToken(key, list, `${last.nominalUs}/${last.causeId}`) : '' };
}
