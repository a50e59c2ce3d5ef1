/** Reads what handlers have logged, page by page, and goes on reading while the job runs. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ListAttemptLogsRequestSchema, ListAttemptLogsResponse } from '../gen/muster/v1/job_service_pb.ts';
import type { LogRecord } from '../gen/muster/v1/log_record_pb.ts';
import type { RequestOptions } from './calls.ts';
import { pause } from './transport-retry.ts';

export interface LogOptions extends RequestOptions {
  /** Only of this attempt. Default: of all. */
  readonly attempt?: number;
  /** Goes on until the job has ended; new records come within about two seconds. Default: false. */
  readonly follow?: boolean;
  /** Records fetched at once, at most 1,000. Default: 200. */
  readonly pageSize?: number;
}

export type LogsRequest = MessageInitShape<typeof ListAttemptLogsRequestSchema>;

const FOLLOW_MS = 1_000;

export async function* attemptLogs(
  list: (request: LogsRequest) => Promise<ListAttemptLogsResponse>,
  target: { namespace: string; jobId: string },
  options: LogOptions,
): AsyncGenerator<LogRecord, void> {
  const { attempt = 0, follow = false, pageSize = 200, signal } = options;
  for (let pageToken = ''; ; ) {
    const page = await list({ ...target, attempt, pageSize, pageToken });
    yield* page.records;
    pageToken = page.resumeToken;
    if (page.nextPageToken !== '') continue;
    if (!follow || page.ended) return;
    await pause(FOLLOW_MS, signal);
  }
}
