/** A status as a ConnectError, which carries each detail separately. */
import { ConnectError } from '@connectrpc/connect';
import type { RpcStatus } from '../status.ts';

export function connectErrorOf({ code, message, parts }: RpcStatus): ConnectError {
  return new ConnectError(message, code, undefined, [...parts]);
}
