/** Fields of requests that ask handlers to stop. */
import { durationFromMs } from '@muster-jobs/sdk/grpc';

/** @param ms Undefined: the grace period of each definition. */
export function graceOf(ms: number | undefined): { readonly grace?: ReturnType<typeof durationFromMs> } {
  return ms === undefined ? {} : { grace: durationFromMs(ms) };
}
