/** AuditService: what people did by hand. */
import { create } from '@bufbuild/protobuf';
import { auditActions } from '../../domain/audit.ts';
import type { AuditRecord } from '../../engine/audit-views.ts';
import type { Replica } from '../../engine/replica.ts';
import { AuditRecordSchema, type AuditRecord as WireRecord } from '../../gen/muster/v1/audit_record_pb.ts';
import { type AuditService, ListAuditRecordsResponseSchema } from '../../gen/muster/v1/audit_service_pb.ts';
import { jobIdOf, namespaceOf, pageSizeOf } from '../checks.ts';
import { timestampTo } from '../convert-payload.ts';
import { pageToken, positionOf } from '../page-token.ts';
import type { Implementation } from '../service.ts';
import { Violations } from '../violations.ts';

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
