/** Methods of JobService about the logs of handlers. */
import { create } from '@bufbuild/protobuf';
import {
  type JobService,
  type ListAttemptLogsRequest,
  ListAttemptLogsResponseSchema,
  type WatchAttemptLogsRequest,
  WatchAttemptLogsResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/job_service_pb';
import type { LogPosition } from '../../engine/ports/logs.ts';
import type { Replica } from '../../engine/replica.ts';
import { checkRange, pageSizeOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { Violations } from '../base/violations.ts';
import { jobNameOf } from '../jobs/job-name.ts';
import { logsTo } from './convert-log.ts';

const MAX_ATTEMPT = 2 ** 31 - 1;

export function attemptLogs(
  replica: Replica,
): Pick<Implementation<typeof JobService>, 'listAttemptLogs' | 'watchAttemptLogs'> {
  return {
    async listAttemptLogs(request) {
      const violations = new Violations();
      const limit = pageSizeOf(request.pageSize, violations);
      const { namespace, query, tokenAt } = await askedFor(replica, request, 'page_token', violations);
      const { records, hasMore, ended } = await replica.logs.read(namespace, { ...query, limit });
      const resumeToken = tokenAt(records.at(-1) ?? query.after);
      const nextPageToken = hasMore ? resumeToken : '';
      const page = { records: logsTo(records, query.after), nextPageToken, resumeToken, ended };
      return create(ListAttemptLogsResponseSchema, page);
    },
    async *watchAttemptLogs(request, context) {
      const { namespace, query, tokenAt } = await askedFor(replica, request, 'resume_token', new Violations());
      for await (const { records, after, ended } of replica.logWatches.watch(namespace, query, context.signal)) {
        const resumeToken = tokenAt(records.at(-1) ?? after);
        yield create(WatchAttemptLogsResponseSchema, { records: logsTo(records, after), resumeToken, ended });
      }
    },
  };
}

/** Tokens are valid for both RPCs. */
async function askedFor(
  replica: Replica,
  request: ListAttemptLogsRequest | WatchAttemptLogsRequest,
  tokenField: 'page_token' | 'resume_token',
  violations: Violations,
) {
  const { attempt } = request;
  checkRange(attempt, 0, MAX_ATTEMPT, 'attempt', violations);
  const key = await replica.pageTokenKey();
  const list = ['ListAttemptLogs', request.namespace || 'default', request.jobId.toLowerCase(), `${attempt}`];
  const token = 'pageToken' in request ? request.pageToken : request.resumeToken;
  const after = placeOf(positionOf(token, key, list, violations, tokenField));
  const { namespace, jobId } = jobNameOf(request, violations);
  const tokenAt = ({ attempt, sequence }: LogPosition) => pageToken(key, list, `${attempt}/${sequence}`);
  return { namespace, query: { jobId, attempt: attempt || undefined, after }, tokenAt };
}

function placeOf(position = '0/0'): LogPosition {
  const [attempt = 0, sequence = 0] = position.split('/').map(Number);
  return { attempt, sequence };
}
