/** The first connection to PostgreSQL: a server that starts a little later than the replica is no reason to fail. */
import { connect, createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Database } from '../../../server/store/driver/database.ts';
import { firstContact } from '../../../server/store/driver/first-contact.ts';
import { refuseTransactionPooling } from '../../../server/store/driver/pooler.ts';
import { openPostgres } from '../../../server/store/driver/postgres.ts';
import { freePort } from '../../support/databases/postgres.ts';
import { startTransactionPooler } from '../../support/databases/transaction-pooler.ts';
import { useStore } from '../../support/store/store-context.ts';

const context = useStore('PostgreSQL 18');
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const clean of cleanUps.splice(0).reverse()) await clean();
});

function open(change: (url: URL) => void): Database {
  const url = new URL(context.url as string);
  change(url);
  const database = openPostgres({ url: url.href });
  cleanUps.push(() => database.close());
  return database;
}

/** Makes the server reachable at another port too. */
function forward(port: number): Server {
  const { hostname, port: target } = new URL(context.url as string);
  const server = createServer((socket) => {
    const inner = connect(Number(target), hostname);
    socket.pipe(inner).pipe(socket);
    for (const end of [socket, inner]) end.on('error', () => {});
  });
  cleanUps.push(() => server.close());
  return server.listen(port, '127.0.0.1');
}

describe('the first connection', () => {
  it('waits for a server that does not answer yet, and logs that once', async () => {
    const port = await freePort();
    const problems: string[] = [];
    const onWait = (problem: string) => {
      problems.push(problem);
      forward(port);
    };
    await firstContact(
      open((url) => {
        url.port = String(port);
      }),
      { onWait },
    );
    expect(problems).toEqual([expect.stringContaining('ECONNREFUSED')]);
  });

  it('gives up after its time limit with the reason', async () => {
    const port = await freePort();
    const database = open((url) => {
      url.port = String(port);
      url.password = 'hidden';
    });
    const error = await firstContact(database, { waitMs: 1 }).catch((reason: Error) => reason);
    expect(String(error)).toMatch(`PostgreSQL can't be used: connect ECONNREFUSED 127.0.0.1:${port}`);
    expect(String(error)).not.toContain('hidden');
  });

  it('fails at once where waiting does not help', async () => {
    const problems: string[] = [];
    const database = open((url) => {
      url.pathname = '/nowhere';
    });
    await expect(firstContact(database, { onWait: (problem) => problems.push(problem) })).rejects.toThrow(
      'PostgreSQL can\'t be used: database "nowhere" does not exist',
    );
    expect(problems).toEqual([]);
  });

  it('accepts PostgreSQL itself, and refuses a pooler in transaction mode with advice', async () => {
    const url = context.url as string;
    await refuseTransactionPooling(url);
    const pooler = await startTransactionPooler(url);
    cleanUps.push(() => pooler.stop());
    await expect(refuseTransactionPooling(pooler.url)).rejects.toThrow(
      /a pooler in transaction mode .*pool_mode=session.*or name the address of PostgreSQL itself/,
    );
  });
});
