/** Amounts that workers of a scenario offer, held to what a session's may be. */
import { checkOffered } from '../../api/base/check-amounts.ts';
import { InvalidRequest, type Violation, Violations } from '../../api/base/violations.ts';

/** What OpenSession would refuse of them; `field` is `resources`, or one of its entries. */
export function faultsOfResources(resources: Readonly<Record<string, number>>): readonly Violation[] {
  const violations = new Violations();
  checkOffered(resources, 'resources', violations);
  try {
    violations.throwIfAny();
    return [];
  } catch (error) {
    if (error instanceof InvalidRequest) return error.violations;
    throw error;
  }
}
