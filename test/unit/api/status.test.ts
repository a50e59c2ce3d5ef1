/** Errors on their way to the caller: they fit into trailers, can be encoded, and reveal nothing internal. */
import { fromBinary } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { BadRequestSchema, ErrorInfoSchema } from '@muster-jobs/sdk/gen/google/rpc/error_details_pb';
import { StatusSchema } from '@muster-jobs/sdk/gen/google/rpc/status_pb';
import { ErrorReason } from '@muster-jobs/sdk/gen/muster/v1/error_pb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Code } from '../../../server/api/base/code.ts';
import { cutText } from '../../../server/api/base/cut-text.ts';
import { type RpcStatus, statusOf } from '../../../server/api/base/status.ts';
import { Violations } from '../../../server/api/base/violations.ts';
import { EngineError } from '../../../server/engine/base/errors.ts';

/** Limits differ between clients; 8 KiB is common. */
const MAX_TRAILER_BYTES = 8_000;

/** The size on HTTP/2: the message percent-encoded, the details in base64. Throws on malformed text. */
function trailerBytes({ message, details }: RpcStatus): number {
  return encodeURI(message).length + Math.ceil((details.length * 4) / 3) + 200;
}

function infoOf(status: RpcStatus) {
  const [detail] = fromBinary(StatusSchema, status.details).details;
  return detail && anyUnpack(detail, ErrorInfoSchema);
}

/** The status for violations of the given fields. */
function refusalOf(found: readonly (readonly [string, string])[]): RpcStatus {
  const violations = new Violations();
  for (const [field, description] of found) violations.add(field, description);
  try {
    violations.throwIfAny();
  } catch (error) {
    return statusOf(error);
  }
  throw new Error('nothing was refused');
}

const anyText = fc.string({ unit: 'binary', maxLength: 2_000 });
const halves = fc.string({ unit: fc.constantFrom('\ud83d', '\ude00', 'é', '水', '%', '"', 'a'), maxLength: 2_000 });
const text = fc.oneof(anyText, halves);

describe('an error with input of the caller', () => {
  it('fits into the trailers, whatever the input', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 60 }), (found) => {
        expect(trailerBytes(refusalOf(found))).toBeLessThan(MAX_TRAILER_BYTES);
      }),
    );
    fc.assert(
      fc.property(text, (message) => {
        const errors = [new EngineError('JOB_ENDED', message), new EngineError('CONFLICT', message.repeat(20))];
        for (const error of errors) expect(trailerBytes(statusOf(error))).toBeLessThan(MAX_TRAILER_BYTES);
      }),
    );
  });

  it('names as many fields as fit, and counts the others', () => {
    const found = Array.from(
      { length: 500 },
      (_, i) => [`jobs[${i}].priority`, 'is 101; must be from -100 to 100'] as const,
    );
    const status = refusalOf(found);
    expect(status.message).toBe('jobs[0].priority is 101; must be from -100 to 100 (and 499 more)');
    const [, detail] = fromBinary(StatusSchema, status.details).details;
    const named = detail && anyUnpack(detail, BadRequestSchema)?.fieldViolations.map(({ field }) => field);
    expect(named?.length).toBeGreaterThan(30);
    expect(named).toEqual(found.slice(0, named?.length).map(([field]) => field));
    expect(trailerBytes(status)).toBeLessThan(MAX_TRAILER_BYTES);
  });

  it('is cut between whole characters', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 300 }), (given, max) => {
        const cut = cutText(given, max);
        expect(cut.length).toBeLessThanOrEqual(max);
        expect(cut.isWellFormed()).toBe(true);
        if (given.length <= max) expect(cut).toBe(given.toWellFormed());
      }),
    );
  });
});

describe('the answer to an unexpected error', () => {
  it('is INTERNAL with an id that is also in the log, and nothing else', () => {
    const secret = 'password=hunter2 at /srv/muster/store.ts:12';
    for (const error of [
      new Error(secret),
      new EngineError('INTERNAL', secret),
      secret,
      { code: '42601', message: secret },
    ]) {
      const status = statusOf(error);
      expect(status.code).toBe(Code.INTERNAL);
      expect(infoOf(status)).toMatchObject({
        reason: 'INTERNAL',
        domain: 'muster',
        metadata: { error_id: status.fault?.id },
      });
      expect(status.message + Buffer.from(status.details).toString('latin1')).not.toContain('hunter2');
      expect(status.message).toContain(status.fault?.id);
      expect(status.fault?.error).toBe(error);
    }
  });
});

describe('each error reason of the engine', () => {
  const reasons = Object.keys(ErrorReason).filter((reason) => !['UNSPECIFIED', 'INTERNAL'].includes(reason));

  it.each(reasons)('%s has a status code and is in the contract', (reason) => {
    const status = statusOf(new EngineError(reason as 'CONFLICT', 'message', { metadata: { a: 'b' } }));
    expect(status.code).toBeGreaterThan(0);
    expect(infoOf(status)).toMatchObject({ reason, domain: 'muster', metadata: { a: 'b' } });
    expect(fromBinary(StatusSchema, status.details)).toMatchObject({ code: status.code, message: 'message' });
  });
});
