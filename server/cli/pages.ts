/** Paged lists of the contract. */

const PAGE_SIZE = 1_000;
/** Bounds a list that a faulty server never ends. */
const MAX_PAGES = 10_000;

/** Each page of a list, up to the last. */
export async function* allPages<T extends { readonly nextPageToken: string }>(
  read: (pageToken: string, pageSize: number) => Promise<T>,
): AsyncGenerator<T> {
  let pageToken = '';
  for (let pages = 0; pages < MAX_PAGES; pages++) {
    const page = await read(pageToken, PAGE_SIZE);
    yield page;
    pageToken = page.nextPageToken;
    if (pageToken === '') return;
  }
}
