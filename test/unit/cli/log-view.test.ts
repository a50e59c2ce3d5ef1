/** Log records as `muster logs` shows them. */
import { PassThrough } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { LogLevel, LogRecordSchema } from '@muster-jobs/sdk/gen/muster/v1/log_record_pb';
import { expect, it } from 'vitest';
import { LogView } from '../../../server/cli/output/log-view.ts';
import { Output } from '../../../server/cli/output/output.ts';

it('a record says how many before it were not kept', () => {
  const lines: string[] = [];
  const stream = new PassThrough().on('data', (text) => lines.push(String(text)));
  const view = new LogView(new Output(false, { stdout: stream, stderr: stream }));
  view.show(create(LogRecordSchema, { attempt: 2, message: 'go', level: LogLevel.INFO }));
  view.show(create(LogRecordSchema, { attempt: 2, message: 'on', level: LogLevel.INFO, skippedCount: 3n }));
  expect(lines.join('')).toMatch(/^Attempt 2\n.*go\n… 3 records not kept\n.*on\n$/);
});
