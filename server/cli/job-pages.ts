/** Goes through the pages of what is asked of all jobs that match a filter. */
import type { CancelJobsResponse, RetryJobsResponse } from '@muster/sdk/grpc';
import { CliError } from './failures/cli-error.ts';
import { type FilterOptions, isEmptyFilter } from './input/job-filter.ts';

/** A page may be work on a thousand jobs. */
export const PAGE_CALL = { timeoutMs: 60_000 };

/** @throws CliError when neither a filter nor --all was given: that every job is meant has to be said. */
export function refuseUnsaid(options: FilterOptions & { readonly all?: true }, what: string): void {
  const { all, ...filter } = options;
  if (all || !isEmptyFilter(filter)) return;
  throw new CliError({
    message: `say which jobs to ${what}`,
    next: 'give a filter such as --definition NAME, or --all for every job of the namespace',
  });
}

export async function* pagesOf<P extends CancelJobsResponse | RetryJobsResponse>(
  call: (pageToken: string) => Promise<P>,
): AsyncGenerator<P> {
  for (let pageToken = ''; ; ) {
    const page = await call(pageToken);
    yield page;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
