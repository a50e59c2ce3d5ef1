/** CircuitBreakerService: lists circuit breakers, and closes one manually. */
import { create } from '@bufbuild/protobuf';
import {
  type CircuitBreakerService,
  CloseCircuitBreakerResponseSchema,
  ListCircuitBreakersResponseSchema,
} from '@muster-jobs/sdk/gen/muster/v1/circuit_breaker_service_pb';
import type { Replica } from '../../engine/replica.ts';
import { checkDottedName, namespaceOf, pageSizeOf, requestIdOf } from '../base/checks.ts';
import type { Implementation } from '../base/implementation.ts';
import { pageToken, positionOf } from '../base/page-token.ts';
import { requestKey } from '../base/request-key.ts';
import { Violations } from '../base/violations.ts';
import { breakerStatusTo } from './convert-circuit-breaker.ts';

export function circuitBreakerService(replica: Replica): Implementation<typeof CircuitBreakerService> {
  return {
    async listCircuitBreakers(request) {
      const violations = new Violations();
      const namespace = namespaceOf(request.namespace, violations);
      const size = pageSizeOf(request.pageSize, violations);
      const key = await replica.pageTokenKey();
      const list = ['ListCircuitBreakers', namespace];
      const afterName = positionOf(request.pageToken, key, list, violations) ?? '';
      violations.throwIfAny();
      const { breakers, nowUs } = await replica.breakers.list(namespace, afterName, size + 1);
      const page = breakers.slice(0, size);
      const last = breakers.length > size ? page.at(-1) : undefined;
      return create(ListCircuitBreakersResponseSchema, {
        circuitBreakers: page.map((breaker) => breakerStatusTo(breaker, nowUs)),
        nextPageToken: last ? pageToken(key, list, last.name) : '',
      });
    },
    async closeCircuitBreaker(request, context) {
      const violations = new Violations();
      const requestId = requestIdOf(request.requestId, violations);
      const namespace = namespaceOf(request.namespace, violations);
      checkDottedName(request.name, 'name', violations);
      violations.throwIfAny();
      const key = requestKey('CloseCircuitBreaker', requestId, context.body);
      const { breaker, nowUs } = await replica.breakers.close({ namespace, name: request.name }, key);
      return create(CloseCircuitBreakerResponseSchema, { circuitBreaker: breakerStatusTo(breaker, nowUs) });
    },
  };
}
