/** The client over HTTP with fetch. */
import { openConnectChannel } from '../transport/connect-channel.ts';
import type { ClientOptions } from './calls.ts';
import { JobClient } from './job-client.ts';

/**
 * A connection to Muster's HTTP port, for browsers, Deno, Bun and edge runtimes: the same calls as those of the client
 * over gRPC. `address` is the URL of the port.
 */
export class Client extends JobClient {
  /** @throws TypeError when an option is unknown, or the address is no URL of HTTP. */
  constructor(options: ClientOptions) {
    super(options, openConnectChannel);
  }
}
