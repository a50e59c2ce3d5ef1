/** AuditService: the record of manual actions. */
import { create } from '@bufbuild/protobuf';
import { AuditRecordSchema, type AuditRecord as WireRecord } from '@muster-jobs/sdk/gen/muster/v1/audit_record_pb';
import { type AuditService, ListAuditRecordsResponseSchema } from '@muster-jobs/sdk/gen/muster/v1/audit_service_pb';
import { auditActions } from '../../domain/namespaces/audit.ts';
import type { AuditRecord } from '../../engine/ports/namespaces.ts';
import type { Replica } from '../../engine/replica.ts';
import { jobIdOf, namespaceOf, pageSizeOf } from '../base/checks.ts';
import { timestampTo } from '../base/convert-payload.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';

export function auditService({ listAudit, pageTokenKey }: Replica): Implementation<typeof AuditService> {
  return {
    async listAuditRecords(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const jobId = request.jobId === '' ? undefined : jobIdOf(request.jobId, violations);
      const limit = pageSizeOf(request.pageSize, violations);
      const key = await pageTokenKey();
      const list = ['ListAuditRecords', namespace, jobId ?? ''];
      const beforeAuditId = positionOf(request.pageToken, key, list, violations);
      violations.throwIfAny();
      const found = await listAudit({ namespace, jobId, beforeAuditId, limit: limit + 1 });
      const records = found.slice(0, limit);
      const last = found.length > limit ? records.at(-1) : undefined;
      return create(ListAuditRecordsResponseSchema, {
        records: records.map(recordTo),
        nextPageToken: last ? pageToken(key, list, last.auditId) : '',
      });
    },
  };
}

function recordTo({ action, recordTimeUs, ...record }: AuditRecord): WireRecord {
  return create(AuditRecordSchema, {
    ...record,
    action: auditActions[action],
    recordTime: timestampTo(recordTimeUs),
  });
}
