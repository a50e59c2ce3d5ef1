/** Errors of the store: which are outages, and what callers are answered. */
import { describe, expect, it } from 'vitest';
import { asEngineError, storeFault } from '../../../../server/engine/base/errors.ts';

const errorWith = (code: string) => Object.assign(new Error('failed'), { code });

describe('an error of the store', () => {
  it.each([
    ...['EAI_AGAIN', 'ENOTFOUND', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH'],
    ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID', 'HOSTNAME_MISMATCH'],
    ...['28P01', '28000', '3D000', '57P01', '57P03', '53300', '08006', '25006', '58030'],
  ])('with the code %s is an outage, and answered UNAVAILABLE', (code) => {
    expect(storeFault(errorWith(code))).toBe('world');
    expect(asEngineError(errorWith(code))).toMatchObject({ reason: 'STORE_UNAVAILABLE', facts: { retryAfterMs: 200 } });
  });

  it.each([
    ['22021', 'data', 'INTERNAL'],
    ['23505', 'data', 'INTERNAL'],
    ['40001', 'concurrency', 'CONFLICT'],
    ['42703', 'bug', 'INTERNAL'],
    ['0A000', 'bug', 'INTERNAL'],
    ['ERR_INVALID_ARG_TYPE', 'bug', 'INTERNAL'],
    ['53100', 'world', 'STORE_FULL'],
  ])('with the code %s is %s, and answered %s', (code, fault, reason) => {
    expect(storeFault(errorWith(code))).toBe(fault);
    expect(asEngineError(errorWith(code)).reason).toBe(reason);
  });

  it('about a pool that is in use as a whole is answered OVERLOADED: nothing has begun', () => {
    const error = new Error('timeout exceeded when trying to connect');
    expect(asEngineError(error)).toMatchObject({ reason: 'OVERLOADED', facts: { retryAfterMs: 500 } });
  });
});
