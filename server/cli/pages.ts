/** Paged lists of the contract. */
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Output } from './output/output.ts';
import { type Column, Table } from './output/table.ts';

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

/** Shows a list page by page: a table, or one line of JSON per item. Returns the number of items. */
export async function showPages<D extends DescMessage, P>(
  out: Output,
  schema: D,
  columns: readonly Column<MessageShape<D>>[],
  pages: AsyncIterable<P>,
  itemsOf: (page: P) => readonly MessageShape<D>[],
): Promise<number> {
  const table = new Table(columns, out.width);
  let shown = 0;
  for await (const page of pages) {
    const items = itemsOf(page);
    if (out.json) for (const item of items) out.messageItem(schema, item);
    else for (const line of table.lines(items)) out.line(line);
    shown += items.length;
  }
  return shown;
}
