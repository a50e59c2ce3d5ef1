/** JobService, what handlers have logged. */
import { create } from '@bufbuild/protobuf';
import type { LogPosition } from '../../engine/log-records.ts';
import type { Replica } from '../../engine/replica.ts';
import { type JobService, ListAttemptLogsResponseSchema } from '../../gen/muster/v1/job_service_pb.ts';
import { checkRange, pageSizeOf } from '../checks.ts';
import { logsTo } from '../convert-log.ts';
import { jobNameOf } from '../job-name.ts';
import { pageToken, positionOf } from '../page-token.ts';
import type { Implementation } from '../service.ts';
import { Violations } from '../violations.ts';

const MAX_ATTEMPT = 2 ** 31 - 1;

export function attemptLogs(replica: Replica): Pick<Implementation<typeof JobService>, 'listAttemptLogs'> {
  return {
    async listAttemptLogs(request) {
      const violations = new Violations();
      const limit = pageSizeOf(request.pageSize, violations);
      checkRange(request.attempt, 0, MAX_ATTEMPT, 'attempt', violations);
      const key = await replica.pageTokenKey();
      const list = [
        'ListAttemptLogs',
        request.namespace || 'default',
        request.jobId.toLowerCase(),
        `${request.attempt}`,
      ];
      const after = placeOf(positionOf(request.pageToken, key, list, violations));
      const { namespace, jobId } = jobNameOf(request, violations);
      const query = { jobId, attempt: request.attempt || undefined, after, limit };
      const { records, hasMore, ended } = await replica.logs.read(namespace, query);
      const { attempt, sequence } = records.at(-1) ?? after;
      const resumeToken = pageToken(key, list, `${attempt}/${sequence}`);
      const nextPageToken = hasMore ? resumeToken : '';
      const page = { records: logsTo(records, after), nextPageToken, resumeToken, ended };
      return create(ListAttemptLogsResponseSchema, page);
    },
  };
}

function placeOf(position = '0/0'): LogPosition {
  const [attempt = 0, sequence = 0] = position.split('/').map(Number);
  return { attempt, sequence };
}
