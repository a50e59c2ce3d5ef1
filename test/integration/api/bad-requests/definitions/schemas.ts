/** Invalid schemas of inputs and results. Invalid JSON Schemas are tested with the schemas themselves. */
import { money, order, shopSchema } from '../../../schemas/descriptor-sets.ts';
import { define } from '../base/builder.ts';

for (const side of ['input', 'output'] as const) {
  const json = `definition.${side}_json_schema`;
  const protobuf = `definition.${side}_protobuf_schema`;
  const set = (value: ReturnType<typeof shopSchema>) => ({ [`${side}ProtobufSchema`]: value });
  const good = shopSchema();
  define('', `${side}: JSON Schema of 64 KiB and more`, { [`${side}JsonSchema`]: ' '.repeat(65_537) }, json);
  define('', `${side}: both kinds of schema`, { [`${side}JsonSchema`]: '{}', ...set(good) }, protobuf);
  define(
    '',
    `${side}: no file descriptor set`,
    set({ ...good, fileDescriptorSet: new Uint8Array() }),
    `${protobuf}.file_descriptor_set`,
  );
  const large = { ...good, fileDescriptorSet: new Uint8Array((256 << 10) + 1) };
  define('', `${side}: 256 KiB and more`, set(large), `${protobuf}.file_descriptor_set`);
  const garbage = { ...good, fileDescriptorSet: Uint8Array.of(255, 255) };
  define('', `${side}: garbage`, set(garbage), `${protobuf}.file_descriptor_set`);
  define('', `${side}: a missing import`, set(shopSchema('shop.v1.Order', order)), `${protobuf}.file_descriptor_set`);
  define(
    '',
    `${side}: an unknown message`,
    set(shopSchema('shop.v1.Nothing', money, order)),
    `${protobuf}.message_type`,
  );
  for (const messageType of ['', 'a b', '.shop.v1.Order', 'x'.repeat(513)]) {
    define(
      '',
      `${side}: a message called "${messageType.slice(0, 20)}"`,
      set({ ...good, messageType }),
      `${protobuf}.message_type`,
    );
  }
}
