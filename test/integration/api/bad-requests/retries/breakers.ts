/** Circuit breakers with wrong settings, and calls about unknown ones. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { CircuitBreakerSchema } from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_pb';
import { Code } from '../../../../../server/api/base/code.ts';
import { add, closeCircuitBreaker, define, listCircuitBreakers } from '../base/builder.ts';

type Breaker = MessageInitShape<typeof CircuitBreakerSchema>;

function breaker(row: string, what: string, change: Breaker, field: string): void {
  const circuitBreaker = { failureThreshold: 5, ...change };
  define(row, `circuit breaker: ${what}`, { circuitBreaker }, `definition.circuit_breaker.${field}`);
}

for (const value of [0, -1, 10_001, 2 ** 31 - 1])
  breaker('B20', `threshold ${value}`, { failureThreshold: value }, 'failure_threshold');
for (const [what, window] of Object.entries({
  'of 0 s': {},
  'below 1 s': { nanos: 999_000_000 },
  'over 1 h': { seconds: 3_600n, nanos: 1_000_000 },
  'that is negative': { seconds: -1n },
  'of mixed signs': { seconds: 5n, nanos: -1 },
})) {
  breaker('B18', `window ${what}`, { window }, 'window');
}
for (const [what, openDuration] of Object.entries({
  'of 0 s': {},
  'below 1 s': { nanos: 999_000_000 },
  'over a day': { seconds: 86_400n, nanos: 1_000_000 },
  'that is negative': { seconds: -1n },
})) {
  breaker('B18', `open duration ${what}`, { openDuration }, 'open_duration');
}
for (const name of ['No', '../x', 'a b', 'x'.repeat(64), 'sys-x', 'con'])
  breaker('B24', `name "${name}"`, { name }, 'name');
breaker('', '65 types', { types: Array.from({ length: 65 }, () => 'x') }, 'types');
breaker('', 'a type of 257 characters', { types: ['x'.repeat(257)] }, 'types');
breaker('', 'a type with a control character', { types: ['a\u0000'] }, 'types');

add('B42', 'ListCircuitBreakers: page size -1', listCircuitBreakers, () => ({ pageSize: -1 }), ['page_size']);
for (const pageToken of ['x', 'A'.repeat(5_000), Buffer.from('0123456789abcdefx').toString('base64url')])
  add('B43', `ListCircuitBreakers: token ${pageToken.slice(0, 20)}`, listCircuitBreakers, () => ({ pageToken }), [
    'page_token',
  ]);
add('B24', 'ListCircuitBreakers: namespace No', listCircuitBreakers, () => ({ namespace: 'No' }), ['namespace']);

add('B24', 'CloseCircuitBreaker: no name', closeCircuitBreaker, () => ({}), ['name']);
add('B26', 'CloseCircuitBreaker: a way up', closeCircuitBreaker, () => ({ name: '../x' }), ['name']);
add('B24', 'CloseCircuitBreaker: namespace No', closeCircuitBreaker, () => ({ namespace: 'No', name: 'x' }), [
  'namespace',
]);
add('B37', 'CloseCircuitBreaker: request id x', closeCircuitBreaker, () => ({ name: 'x', requestId: 'x' }), [
  'request_id',
]);
const notFound = [Code.NOT_FOUND, 'CIRCUIT_BREAKER_NOT_FOUND'] as const;
add('', 'CloseCircuitBreaker: an unknown one', closeCircuitBreaker, () => ({ name: 'missing' }), [], notFound);
