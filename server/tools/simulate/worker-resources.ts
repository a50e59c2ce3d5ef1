/** Checks the resources of a scenario's workers like those of a session. */
import { checkOffered } from '../../api/base/check-amounts.ts';
import { InvalidRequest, type Violation, Violations } from '../../api/base/violations.ts';

/** The violations that OpenSession would report; `field` is `resources`, or one of its entries. */
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
