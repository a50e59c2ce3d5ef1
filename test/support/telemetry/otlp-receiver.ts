/** An OTLP receiver for metrics and spans over http/protobuf. It decodes the wire format itself and keeps the data. */
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** The fields of a message by number: bytes for length-delimited fields, numbers for all others. */
type Fields = Map<number, (Uint8Array | bigint)[]>;

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'gauge' | 'counter' | 'histogram' | 'other';
  readonly points: number;
}

export interface ReceivedSpan {
  readonly name: string;
  /** In hexadecimal digits, like all ids of spans. */
  readonly traceId: string;
  readonly spanId: string;
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly kind: string }[];
}

export interface Received {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, string>>;
  readonly metrics: readonly ReceivedMetric[];
  readonly spans: readonly ReceivedSpan[];
}

export interface OtlpReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  stop(): Promise<void>;
}

function fieldsOf(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    const values = fields.get(number) ?? [];
    fields.set(number, values);
    if (type === WireType.LengthDelimited) values.push(reader.bytes());
    else if (type === WireType.Varint) values.push(BigInt(reader.uint64()));
    else reader.skip(type, number);
  }
  return fields;
}

const messages = (fields: Fields, number: number) =>
  (fields.get(number) ?? []).filter((value) => value instanceof Uint8Array).map(fieldsOf);

const text = (fields: Fields, number: number) => Buffer.from((fields.get(number)?.[0] as Uint8Array) ?? []).toString();

/** Field numbers in Metric whose field 1 holds the points. */
const kinds = { 5: 'gauge', 7: 'counter', 9: 'histogram' } as const;

function metricOf(fields: Fields): ReceivedMetric {
  const number = ([5, 7, 9] as const).find((one) => fields.has(one));
  const kind = number === undefined ? 'other' : kinds[number];
  const points = number === undefined ? 0 : messages(fields, number).flatMap((data) => messages(data, 1)).length;
  return { name: text(fields, 1), unit: text(fields, 3), kind, points };
}

const hex = (fields: Fields, number: number) =>
  Buffer.from((fields.get(number)?.[0] as Uint8Array) ?? []).toString('hex');

/** The value of a text attribute. */
const attributeText = (pair: Fields) => text(messages(pair, 2)[0] ?? new Map(), 1);

function spanOf(fields: Fields): ReceivedSpan {
  const links = messages(fields, 13).map((link) => ({
    traceId: hex(link, 1),
    spanId: hex(link, 2),
    kind: messages(link, 4).map(attributeText).join(),
  }));
  return { name: text(fields, 5), traceId: hex(fields, 1), spanId: hex(fields, 2), links };
}

function decode(path: string, body: Uint8Array): Pick<Received, 'resource' | 'metrics' | 'spans'> {
  const resources = messages(fieldsOf(body), 1);
  const attributes = resources.flatMap((one) => messages(one, 1)).flatMap((resource) => messages(resource, 1));
  const resource = Object.fromEntries(attributes.map((pair) => [text(pair, 1), attributeText(pair)]));
  const scopes = resources.flatMap((one) => messages(one, 2));
  const parts = scopes.flatMap((scope) => messages(scope, 2));
  return path === '/v1/traces'
    ? { resource, metrics: [], spans: parts.map(spanOf) }
    : { resource, metrics: parts.map(metricOf), spans: [] };
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const { url: path = '', headers } = request;
    received.push({ path, headers, ...decode(path, await buffer(request)) });
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
