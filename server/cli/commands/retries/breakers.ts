/** `muster breakers`: circuit breakers, which hold jobs back while a dependency fails. */
import { randomUUID } from 'node:crypto';
import { type CircuitBreakerStatus, CircuitBreakerStatusSchema, CircuitState } from '@muster-jobs/sdk/grpc';
import type { Command } from 'commander';
import { handled, type Invocation } from '../../invocation.ts';
import type { Output } from '../../output/output.ts';
import { type Column, Table } from '../../output/table.ts';
import { timeText } from '../../output/times.ts';
import { allPages } from '../../pages.ts';
import { present } from '../../require-field.ts';

export function addBreakers(program: Command): void {
  const group = program
    .command('breakers')
    .helpGroup('Queues and workers:')
    .description('Show the circuit breakers, and close one manually')
    .addHelpText(
      'after',
      `
A breaker counts the failures of the definitions that name it. While it is open their jobs wait, without using up attempts;
then one job is the probe, and its success closes the breaker for all.

Examples:
  muster breakers list
  muster breakers close mail-server       it works again: don't wait for the probe`,
    );
  group
    .command('list')
    .description('List the breakers that have counted a failure')
    .addHelpText('after', '\nExample:\n  muster breakers list --json')
    .action(handled(list));
  group
    .command('close')
    .argument('<breaker>', 'its name')
    .description('Close a breaker: its jobs continue at once')
    .addHelpText('after', '\nExample:\n  muster breakers close mail-server')
    .action(
      handled<object, [string]>(async (invocation, _options, name) => {
        const { namespace, breakers } = await invocation.connection();
        const response = await breakers.closeCircuitBreaker({ namespace, name, requestId: randomUUID() });
        const breaker = present(response.circuitBreaker, 'circuit breaker');
        const { out } = invocation;
        if (out.json) out.message(CircuitBreakerStatusSchema, breaker);
        else out.line(`Breaker ${breaker.name} is closed: its jobs continue.`);
      }),
    );
}

async function list(invocation: Invocation): Promise<void> {
  const { namespace, breakers } = await invocation.connection();
  const { out } = invocation;
  const table = new Table(columnsFor(out), out.width);
  const read = (pageToken: string, pageSize: number) =>
    breakers.listCircuitBreakers({ namespace, pageToken, pageSize });
  let shown = 0;
  for await (const { circuitBreakers } of allPages(read)) {
    if (out.json) for (const breaker of circuitBreakers) out.messageItem(CircuitBreakerStatusSchema, breaker);
    else for (const line of table.lines(circuitBreakers)) out.line(line);
    shown += circuitBreakers.length;
  }
  if (shown === 0 && !out.json) out.note('No breaker has counted a failure.');
}

const states: Readonly<Record<number, string>> = {
  [CircuitState.CLOSED]: 'closed',
  [CircuitState.OPEN]: 'open',
  [CircuitState.HALF_OPEN]: 'trying',
};

function columnsFor(out: Output): Column<CircuitBreakerStatus>[] {
  return [
    { title: 'BREAKER', value: ({ name }) => name },
    {
      title: 'STATE',
      value: ({ state }) => states[state] ?? String(state),
      style: (text, { state }) => (state === CircuitState.CLOSED ? text : out.styled('red', text)),
    },
    { title: 'FAILURES', value: ({ failureCount }) => String(failureCount) },
    { title: 'OPENED', value: ({ openTime }) => timeText(openTime), min: 8 },
    {
      title: 'NEXT TRIAL',
      value: ({ probeJobId, probeTime }) => (probeJobId ? `job ${probeJobId}` : timeText(probeTime)),
      min: 8,
    },
  ];
}
