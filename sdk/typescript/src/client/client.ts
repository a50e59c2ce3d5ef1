/** The client over gRPC. */
import { openChannel } from '../transport/grpc-channel.ts';
import type { ClientOptions } from './calls.ts';
import { JobClient } from './job-client.ts';

/**
 * A connection to Muster. Every method fails with a `MusterError`. Calls that fail with UNAVAILABLE are retried a
 * bounded number of times under one request id, so a retried submission gives one job. An option that does not exist is
 * refused with a TypeError, before anything is sent.
 */
export class Client extends JobClient {
  /** @throws TypeError when an option is unknown. */
  constructor(options: ClientOptions) {
    super(options, openChannel);
  }
}
