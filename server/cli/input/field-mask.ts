/** The fields that an update is to change. */
import { create } from '@bufbuild/protobuf';
import { type FieldMask, FieldMaskSchema } from '@bufbuild/protobuf/wkt';

export function fieldMask(...paths: string[]): FieldMask {
  return create(FieldMaskSchema, { paths });
}
