/** File descriptor sets as `buf build` writes them, built in code. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from '@bufbuild/protobuf/wkt';

type File = MessageInitShape<typeof FileDescriptorProtoSchema>;

const field = (name: string, number: number, type: Type, typeName = '') => ({
  name,
  number,
  type,
  typeName,
  jsonName: name,
  label: Label.OPTIONAL,
});

export const money: File = {
  name: 'shop/money.proto',
  package: 'shop.v1',
  syntax: 'proto3',
  messageType: [{ name: 'Money', field: [field('units', 1, Type.INT64), field('currency', 2, Type.STRING)] }],
};

/** `Order` has a text, a number, a `Money` of another file and, in `inner`, itself. */
export const order: File = {
  name: 'shop/order.proto',
  package: 'shop.v1',
  syntax: 'proto3',
  dependency: ['shop/money.proto'],
  messageType: [
    {
      name: 'Order',
      field: [
        field('id', 1, Type.STRING),
        field('count', 2, Type.INT32),
        field('total', 3, Type.MESSAGE, '.shop.v1.Money'),
        field('inner', 4, Type.MESSAGE, '.shop.v1.Order'),
      ],
    },
  ],
};

export function descriptorSet(...files: File[]): Uint8Array {
  const file = files.map((init) => create(FileDescriptorProtoSchema, init));
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file }));
}

/** The schema of a message of shop.v1, with every import unless other files are given. */
export function shopSchema(messageType = 'shop.v1.Order', ...files: File[]) {
  return { fileDescriptorSet: descriptorSet(...(files.length > 0 ? files : [money, order])), messageType };
}
