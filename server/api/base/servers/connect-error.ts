/** A status in the words of Connect, which gives each detail a place of its own. */
import { ConnectError } from '@connectrpc/connect';
import type { RpcStatus } from '../status.ts';

export function connectErrorOf({ code, message, parts }: RpcStatus): ConnectError {
  return new ConnectError(message, code, undefined, [...parts]);
}
