/** Reserves definition names for the control plane. */
import { isReserved, RESERVED } from '../../domain/definitions/reserved-names.ts';
import { EngineError } from '../base/errors.ts';

/** Throws INVALID_FIELD. */
export function refuseReserved(name: string, field: string): void {
  if (!isReserved(name)) return;
  throw new EngineError('INVALID_FIELD', `${field} ${RESERVED}`, {
    field,
    violations: [{ field, description: RESERVED }],
  });
}
