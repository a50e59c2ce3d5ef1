/** Every service of the contract, with a valid request for each RPC, so that tests over all RPCs forget none. */
import { readdirSync, readFileSync } from 'node:fs';
import type { DescMethod, DescService, JsonObject } from '@bufbuild/protobuf';

const packages = ['muster/v1', 'muster/worker/v1'].map(
  (folder) => new URL(`../../../sdk/typescript/src/gen/${folder}/`, import.meta.url),
);
const examples: Record<string, JsonObject> = JSON.parse(
  readFileSync(new URL('../../../proto/examples.json', import.meta.url), 'utf8'),
);

/** Finds services of newly added files by itself. */
async function readServices(): Promise<DescService[]> {
  const files = packages.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('_service_pb.ts'))
      .sort()
      .map((name) => new URL(name, folder).href),
  );
  const modules = await Promise.all(files.map((file) => import(file)));
  return modules.flatMap((module) => Object.values(module).filter(isService));
}

function isService(value: unknown): value is DescService {
  return typeof value === 'object' && value !== null && (value as DescService).kind === 'service';
}

export const allServices: readonly DescService[] = await readServices();
export const allMethods: readonly DescMethod[] = allServices.flatMap(({ methods }) => methods);

/** `muster.v1.JobService/GetJob`. */
export function pathOf({ parent, name }: DescMethod): string {
  return `${parent.typeName}/${name}`;
}

/** The example of an RPC in proto/examples.json. @throws Error when there is none */
export function exampleOf(method: DescMethod): JsonObject {
  const example = examples[pathOf(method)];
  if (!example) throw new Error(`proto/examples.json has no request for ${pathOf(method)}: add one that works`);
  return example;
}

/**
 * Names in the examples: a waiting job, an ended one, a worker's session, a workflow, a batch, an ended one, an
 * approval, a job that waits for a person, and the names of other resources.
 */
export const placeholders = {
  jobId: '0198c0de-0000-7000-8000-000000000001',
  endedJobId: '0198c0de-0000-7000-8000-000000000002',
  sessionId: '0198c0de-0000-7000-8000-000000000003',
  workflowJobId: '0198c0de-0000-7000-8000-000000000004',
  batchId: '0198c0de-0000-7000-8000-000000000009',
  endedBatchId: '0198c0de-0000-7000-8000-00000000000b',
  approvalJobId: '0198c0de-0000-7000-8000-00000000000a',
  exhaustedJobId: '0198c0de-0000-7000-8000-00000000000c',
  definition: 'send-mail',
  queue: 'mails',
  emptyQueue: 'empty',
  circuitBreaker: 'mail-server',
  schedule: 'nightly',
  oldSchedule: 'old',
  rolledOut: 'resize',
  rolledBack: 'crop',
  trigger: 'refresh',
  oldTrigger: 'outdated',
} as const;

/** Ids of existing resources, for the placeholders. */
export interface Actual {
  readonly jobId: string;
  readonly endedJobId: string;
  readonly sessionId: string;
  readonly workflowJobId: string;
  readonly batchId: string;
  readonly endedBatchId: string;
  readonly approvalJobId: string;
  readonly exhaustedJobId: string;
}

const actualIds = [
  'jobId',
  'endedJobId',
  'sessionId',
  'workflowJobId',
  'batchId',
  'endedBatchId',
  'approvalJobId',
  'exhaustedJobId',
] as const satisfies (keyof Actual)[];

/** An example or a line with one, with its placeholders replaced by real ids, in hex or in base64. */
export function withActual(text: string, actual: Actual): string {
  let result = text;
  for (const key of actualIds) {
    result = result.replaceAll(placeholders[key], actual[key]);
    result = result.replaceAll(base64Of(placeholders[key]), base64Of(actual[key]));
  }
  return result;
}

function base64Of(uuid: string): string {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex').toString('base64');
}
