/** Which hosts and origins may call the HTTP port from a browser, and how long a call may wait. */
import { describe, expect, it } from 'vitest';
import { boundTimeouts } from '../../../server/api/base/servers/bound-timeouts.ts';
import { checkAccess, corsHeaders } from '../../../server/api/base/servers/web-access.ts';

const access = { hosts: ['muster.example.com'], corsOrigins: ['https://ops.example.com'] };

function verdict(host: string | undefined, origin?: string): string {
  try {
    checkAccess({ ...(host === undefined ? {} : { host }), ...(origin === undefined ? {} : { origin }) }, access);
    return 'allowed';
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

describe('the Host header', () => {
  it.each([
    'localhost',
    'localhost:7080',
    'LOCALHOST:7080',
    'app.localhost:7080',
    '127.0.0.1:7080',
    '10.1.2.3',
    '[::1]:7080',
    'muster.example.com',
    'Muster.Example.com:443',
  ])('%s is allowed', (host) => expect(verdict(host)).toBe('allowed'));

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:7080',
    'localhost.evil.example',
    'notlocalhost',
    'muster.example.com.evil.example',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'evil.example/localhost',
    '2130706433',
    '[',
    '[::1',
    'localhost:',
    'localhost:123456',
    'local host',
  ])('%s is refused', (host) => expect(verdict(host)).toBe('HOST_NOT_ALLOWED'));
});

describe('the Origin header', () => {
  it.each([undefined, 'http://localhost:7080', 'https://localhost:7080', 'https://ops.example.com'])(
    '%s is allowed',
    (origin) => expect(verdict('localhost:7080', origin)).toBe('allowed'),
  );

  it.each([
    'null',
    '',
    'http://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:7080',
    'https://ops.example.com:8443',
    'https://ops.example.com.evil.example',
    'http://ops.example.com',
    'file://',
  ])('%s is refused', (origin) => expect(verdict('localhost:7080', origin)).toBe('ORIGIN_NOT_ALLOWED'));

  it('is repeated in the answer only when the settings name it', () => {
    const allowed = { origin: 'https://ops.example.com' };
    expect(corsHeaders(allowed, access)).toMatchObject({
      'access-control-allow-origin': 'https://ops.example.com',
      vary: 'Origin',
    });
    expect(corsHeaders({ origin: 'https://evil.example' }, access)).toEqual({ vary: 'Origin' });
    expect(corsHeaders(allowed, { hosts: [], corsOrigins: [] })).toEqual({});
  });
});

describe('the deadline headers', () => {
  it.each([
    ['connect-timeout-ms', '0', '0'],
    ['connect-timeout-ms', '2147483647', '2147483647'],
    ['connect-timeout-ms', '2147483648', '2147483647'],
    ['connect-timeout-ms', '9999999999', '2147483647'],
    ['connect-timeout-ms', '99999999999', '99999999999'],
    ['connect-timeout-ms', 'soon', 'soon'],
    ['grpc-timeout', '1S', '1S'],
    ['grpc-timeout', '99999999H', '596H'],
    ['grpc-timeout', '99999999M', '35791M'],
    ['grpc-timeout', '99999999S', '2147483S'],
    ['grpc-timeout', '99999999m', '99999999m'],
    ['grpc-timeout', '99999999n', '99999999n'],
    ['grpc-timeout', '-5S', '-5S'],
  ])('%s: %s give %s', (name, given, kept) => {
    const headers = { [name]: given };
    boundTimeouts(headers);
    expect(headers[name]).toBe(kept);
  });
});
