/** Pages through calls that change all jobs matching a filter. */
import { CliError } from '../failures/cli-error.ts';
import { type FilterOptions, isEmptyFilter } from '../input/job-filter.ts';

/** One page may change a thousand jobs. */
export const PAGE_CALL = { timeoutMs: 60_000 };

/** @throws CliError if neither a filter nor --all was given: selecting every job must be explicit. */
export function refuseUnsaid(options: FilterOptions & { readonly all?: true }, what: string): void {
  if (options.all || !isEmptyFilter(options)) return;
  throw new CliError({
    message: `say which jobs to ${what}`,
    next: 'give a filter such as --definition NAME, or --all for every job of the namespace',
  });
}

export async function* pagesOf<P extends { readonly nextPageToken: string }>(
  call: (pageToken: string) => Promise<P>,
): AsyncGenerator<P> {
  for (let pageToken = ''; ; ) {
    const page = await call(pageToken);
    yield page;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
