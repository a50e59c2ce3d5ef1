/** docs/worker-protocol.md: the bytes in it decode to the messages it shows, and its numbers are those of the SDK. */
import { readFileSync } from 'node:fs';
import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import {
  BadRequest_FieldViolationSchema,
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { StatusSchema } from '@muster-jobs/sdk/gen/google/rpc/status_pb';
import { SessionMessageSchema } from '@muster-jobs/sdk/gen/muster/worker/v1/assignment_pb';
import {
  ReportAttemptsRequestSchema,
  ReportAttemptsResponseSchema,
  SendHeartbeatRequestSchema,
} from '@muster-jobs/sdk/gen/muster/worker/v1/session_service_pb';
import { describe, expect, it } from 'vitest';
import * as limits from '../../../sdk/typescript/src/worker/core/base/limits.ts';

const guide = readFileSync(new URL('../../../docs/worker-protocol.md', import.meta.url), 'utf8');
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const jobId = base64('0198c0de000070008000000000000001');
const sessionId = base64('0b8f4d6ea1b24c3d9e0f112233445566');
const json = (text: string) => ({ data: Buffer.from(text).toString('base64'), contentType: 'application/json' });

const examples = {
  SessionMessage: [
    SessionMessageSchema,
    {
      assignments: [
        {
          jobId,
          attempt: 1,
          creditId: '1',
          handler: 'greet',
          input: json('{"name":"Ada"}'),
          runTimeout: '3600s',
          definition: 'greet',
          definitionVersion: 1,
          namespace: 'default',
          leaseLossAction: 'LEASE_LOSS_ACTION_ABORT',
        },
      ],
    },
  ],
  SendHeartbeatRequest: [
    SendHeartbeatRequestSchema,
    { sessionId, heldAttempts: [{ jobId, attempt: 1, started: true }], pingEcho: '2' },
  ],
  ReportAttemptsRequest: [
    ReportAttemptsRequestSchema,
    {
      sessionId,
      reports: [{ jobId, attempt: 1, result: json('"hello Ada"') }],
      credits: [{ creditId: '2', slots: 1 }],
    },
  ],
  ReportAttemptsResponse: [ReportAttemptsResponseSchema, { results: ['REPORT_RESULT_ACCEPTED'] }],
} as const;

describe('the example in bytes', () => {
  it.each(Object.entries(examples))('of %s decodes to the message in the guide', (name, [schema, content]) => {
    const block = guide.match(new RegExp(`\`\`\`hex ${name}\\n([^\`]*)\`\`\``))?.[1];
    const bytes = Buffer.from((block ?? '').replace(/\s/g, ''), 'hex');
    const message = fromBinary(schema, bytes);
    expect(toJson(schema, message)).toEqual(content);
    expect(Buffer.from(toBinary(schema, message))).toEqual(bytes);
  });
});

describe('the fields of errors in the guide', () => {
  const messages = [StatusSchema, AnySchema, ErrorInfoSchema, RetryInfoSchema, BadRequestSchema];

  it.each(messages.map((desc) => [desc.typeName, desc] as const))('are those of %s', (name, desc) => {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`${name}\` |`)) ?? '';
    const listed = [...row.matchAll(/`(\w+)` = (\d+)/g)].map(([, field, number]) => `${field} = ${number}`);
    const nested = desc === BadRequestSchema ? BadRequest_FieldViolationSchema.fields.slice(0, 2) : [];
    expect(listed).toEqual([...desc.fields, ...nested].map((field) => `${field.name} = ${field.number}`));
  });
});

describe('the guide’s number', () => {
  const rows = [...guide.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, name = '', value]) => [
    name,
    Number(value),
  ]);

  it('table has more than 15 rows', () => expect(rows.length).toBeGreaterThan(15));

  it.each(rows)('for %s is %i', (name, value) => {
    expect(Object.entries(limits)).toContainEqual([name, value]);
  });
});
