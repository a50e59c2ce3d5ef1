/** A process of a peer of the Node runtime: `node host.ts ADAPTER prepare|producer|worker URL QUEUE...` */
import type { ProducerRequest } from '../../contract.ts';
import type { Adapter } from './adapter.ts';
import { listen, say } from './lines.ts';
import { answer } from './producing.ts';
import { countingHandler } from './working.ts';

const [name = '', role = '', url = '', ...queues] = process.argv.slice(2);
const { adapter } = (await import(`./${name}.ts`)) as { adapter: Adapter };

async function produce(): Promise<void> {
  const producer = await adapter.producer(url, queues);
  const reply = (message: unknown) => {
    const { id, ...request } = message as ProducerRequest & { id: number };
    answer(producer, request as ProducerRequest).then(
      (ok) => say({ id, ok }),
      (error: Error) => say({ id, error: error.message }),
    );
  };
  listen(reply, async () => {});
}

async function work(): Promise<void> {
  let stop = () => Promise.resolve<unknown>(undefined);
  listen(
    () => {},
    () => stop(),
  );
  stop = await adapter.worker(url, queues, countingHandler());
}

if (role === 'prepare') {
  await adapter.prepare?.(url, queues);
  process.exit();
}
await (role === 'producer' ? produce() : work());
say({ event: 'ready' });
