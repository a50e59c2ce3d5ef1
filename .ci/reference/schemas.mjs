// Messages and enums of the contract as JSON Schemas of their JSON form.

import { ScalarType } from '@bufbuild/protobuf';

const integer = (format, more = {}) => ({ type: 'integer', format, ...more });
const bigInteger = (format) => ({ type: 'string', format, pattern: '^-?[0-9]{1,20}$' });

const scalars = {
  [ScalarType.DOUBLE]: { type: 'number', format: 'double' },
  [ScalarType.FLOAT]: { type: 'number', format: 'float' },
  [ScalarType.INT32]: integer('int32'),
  [ScalarType.UINT32]: integer('int32', { minimum: 0 }),
  [ScalarType.INT64]: bigInteger('int64'),
  [ScalarType.UINT64]: bigInteger('uint64'),
  [ScalarType.BOOL]: { type: 'boolean' },
  [ScalarType.STRING]: { type: 'string' },
  [ScalarType.BYTES]: { type: 'string', contentEncoding: 'base64' },
};

/** Types with a special JSON form. */
const wellKnown = {
  'google.protobuf.Timestamp': { type: 'string', format: 'date-time', examples: ['2030-01-02T03:04:05.678Z'] },
  'google.protobuf.Duration': { type: 'string', pattern: '^-?[0-9]+(\\.[0-9]{1,9})?s$', examples: ['1.5s'] },
  'google.protobuf.FieldMask': { type: 'string', examples: ['description,maxConcurrency'] },
};

const nameOf = ({ typeName }) => typeName.replace('muster.v1.', '');

export class Schemas {
  #commentOf;
  #found = new Map();

  constructor(commentOf) {
    this.#commentOf = commentOf;
  }

  /** All referenced messages and enums, with those that they use, by name. */
  get all() {
    return Object.fromEntries([...this.#found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to the message or enum. */
  of(desc) {
    const special = wellKnown[desc.typeName];
    if (special) return special;
    const name = nameOf(desc);
    if (!desc.typeName.startsWith('muster.v1.')) throw new Error(`${desc.typeName} has no form in JSON here: add it`);
    if (!this.#found.has(name)) {
      this.#found.set(name, {}); // before what is inside it: messages may hold each other
      this.#found.set(name, desc.kind === 'enum' ? this.#enum(desc) : this.#message(desc));
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #enum(desc) {
    const lines = desc.values.map((value) => `- \`${value.name}\`: ${this.#commentOf(value)}`);
    return {
      type: 'string',
      description: `${this.#commentOf(desc)}\n\n${lines.join('\n')}`,
      enum: desc.values.map(({ name }) => name),
    };
  }

  #message(desc) {
    const properties = Object.fromEntries(desc.fields.map((field) => [field.jsonName, this.#field(field)]));
    const choices = desc.oneofs.flatMap(({ fields }) => pairs(fields.map(({ jsonName }) => jsonName)));
    return {
      type: 'object',
      description: this.#commentOf(desc),
      properties,
      ...(choices.length > 0 ? { allOf: choices.map((both) => ({ not: { required: both } })) } : {}),
    };
  }

  #field(field) {
    return { ...this.#shape(field), description: this.#descriptionOf(field) };
  }

  #descriptionOf(field) {
    const others = (field.oneof?.fields ?? []).filter((one) => one !== field).map(({ jsonName }) => `\`${jsonName}\``);
    const rest = others.length > 0 ? ` Not with ${others.join(', ')}.` : '';
    return this.#commentOf(field) + rest;
  }

  #shape(field) {
    switch (field.fieldKind) {
      case 'list':
        return { type: 'array', items: this.#value(field, field.listKind) };
      case 'map':
        return { type: 'object', additionalProperties: this.#value(field, field.mapKind) };
      default:
        return this.#value(field, field.fieldKind);
    }
  }

  #value(field, kind) {
    if (kind === 'scalar') return scalars[field.scalar];
    return this.of(kind === 'enum' ? field.enum : field.message);
  }
}

function pairs(names) {
  return names.flatMap((name, i) => names.slice(i + 1).map((other) => [name, other]));
}
