/** Field masks: which fields of a message a request changes. */
import type { FieldMask } from '@bufbuild/protobuf/wkt';
import { cutText } from './cut-text.ts';
import type { Violations } from './violations.ts';

/** The fields that a mask may name; fixed fields exist but can't be changed. */
export interface MaskFields {
  readonly changeable: readonly string[];
  readonly fixed: readonly string[];
}

/** The fields to change: those that the mask names; without a mask, those for which `isSet` is true. */
export function maskedFields(
  mask: FieldMask | undefined,
  { changeable, fixed }: MaskFields,
  isSet: (field: string) => boolean,
  violations: Violations,
): ReadonlySet<string> {
  if (!mask) return new Set(changeable.filter(isSet));
  const named = `name some of ${changeable.map((field) => `"${field}"`).join(', ')}`;
  violations.check(mask.paths.length > 0, 'update_mask', `is empty; ${named}, or leave the mask out`);
  for (const path of mask.paths.slice(0, 100)) {
    if (changeable.includes(path)) continue;
    const why = fixed.includes(path) ? 'which can not be changed' : 'which is not a field';
    violations.add('update_mask', `names "${cutText(path, 80)}", ${why}; ${named}`);
  }
  return new Set(mask.paths);
}
