/** The fields that an update changes. */
import { create } from '@bufbuild/protobuf';
import { type FieldMask, FieldMaskSchema } from '@bufbuild/protobuf/wkt';

export function fieldMask(...paths: string[]): FieldMask {
  return create(FieldMaskSchema, { paths });
}
