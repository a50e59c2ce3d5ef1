/** Words for the progress that a handler reports. */
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ProgressSchema } from '@muster-jobs/sdk/gen/muster/v1/job_pb';
import { describe, expect, it } from 'vitest';
import { barText, reportedText } from '../../../server/view/progress-words.ts';

const NOW_MS = Date.UTC(2026, 2, 1, 12);
const progress = (init: MessageInitShape<typeof ProgressSchema>) => create(ProgressSchema, init);
const counted = progress({
  ...{ fraction: 0.4, message: 'copying', done: 400n, total: 1_000n, unit: 'rows' },
  estimatedEndTime: timestampFromMs(NOW_MS + 150_000),
});

describe('progress', () => {
  it.each([
    [progress({ fraction: 0.999 }), '99 %', ''],
    [progress({ fraction: 0.4, message: 'copying' }), '40 % copying', 'copying'],
    [progress({ done: 7n }), '7', '7'],
    [progress({ done: 7n, unit: 'rows', message: 'copying' }), '7 rows: copying', '7 rows: copying'],
    [progress({ fraction: 1, done: 9n, total: 4n }), '100 %, 9 of 4', '9 of 4'],
    [counted, '40 %, 400 of 1000 rows, about 2m 30s left: copying', '400 of 1000 rows, about 2m 30s left: copying'],
  ])('%o is shown as %j, and on a bar as %j', (shown, text, bar) => {
    expect([reportedText(shown, NOW_MS), barText(shown, NOW_MS)]).toEqual([text, bar]);
  });

  it('has no time left without a clock, or once that has passed', () => {
    const text = '40 %, 400 of 1000 rows: copying';
    expect([reportedText(counted), reportedText(counted, NOW_MS + 150_000)]).toEqual([text, text]);
  });
});
