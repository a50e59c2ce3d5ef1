/** A user-written scenario: definitions and queues as in the contract, and the workers. */
import { create, type DescMessage, type JsonObject, toJson } from '@bufbuild/protobuf';
import { JobDefinitionSchema, QueueSchema, TaskBodySchema } from '@muster-jobs/sdk/grpc';
import { nearName } from '../../domain/base/near-name.ts';
import { MAX_SLOTS, MAX_WORKERS, type Scenario, type WorkerOffer } from '../../tools/simulate/scenario.ts';
import { faultsOfResources } from '../../tools/simulate/worker-resources.ts';
import type { CommandProcess } from '../command-process.ts';
import { CliError } from '../failures/cli-error.ts';
import { readDocuments } from '../input/documents.ts';
import { decodeDocument } from '../input/message-document.ts';
import { type Override, withOverrides } from './overrides.ts';
import { Problems } from './problems.ts';

type Entry = Record<string, unknown>;

const HELP = 'muster simulate --help shows what a scenario looks like';
const MAX_ENTRIES = 1_000;

/** @param source Its origin, for messages. @throws CliError that names each invalid field. */
export async function readScenario(
  process: CommandProcess,
  file: string,
  overrides: readonly Override[],
  source = file,
): Promise<Scenario> {
  const documents = await readDocuments(process, file, HELP);
  const [document] = documents;
  if (documents.length !== 1 || !isEntry(document?.value))
    throw new CliError({ message: `${file} must hold one mapping: definitions, queues and workers`, next: HELP });
  const problems = new Problems(source, HELP);
  const scenario = scenarioOf(withOverrides(document.value, overrides), problems);
  problems.throwIfAny();
  return scenario;
}

function scenarioOf(document: Entry, problems: Problems): Scenario {
  refuseOthers(document, ['definitions', 'queues', 'workers'], '', problems);
  const definitions = messages(JobDefinitionSchema, document, 'definitions', problems).map(withTask);
  const queues = messages(QueueSchema, document, 'queues', problems);
  const workers = entries(document, 'workers', problems).flatMap((one, at) =>
    workersOf(one, `workers[${at}]`, problems),
  );
  if (definitions.length === 0) problems.add('definitions', 'is missing: at least one is needed');
  if (workers.length === 0) problems.add('workers', 'is missing: at least one is needed');
  if (workers.length > MAX_WORKERS) problems.add('workers', `come to ${workers.length}; at most ${MAX_WORKERS}`);
  for (const [at, { workflow }] of definitions.entries())
    if (workflow !== undefined)
      problems.add(`definitions[${at}].workflow`, 'is not simulated; name the definitions of its steps instead');
  refuseTwins('definitions', definitions, problems);
  refuseTwins('queues', queues, problems);
  refuseTwins('workers', workers, problems);
  return { definitions, queues, workers };
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entries(document: Entry, list: string, problems: Problems): unknown[] {
  const value = document[list] ?? [];
  if (!Array.isArray(value)) problems.add(list, 'must be a list');
  else if (value.length > MAX_ENTRIES) problems.add(list, `has ${value.length} entries; at most ${MAX_ENTRIES}`);
  else return value;
  return [];
}

/** Entries in their JSON form. The namespace is irrelevant here. */
function messages<D extends DescMessage>(schema: D, document: Entry, list: string, problems: Problems): JsonObject[] {
  return entries(document, list, problems).flatMap((value, at) => {
    const decoded = decodeDocument(schema, value);
    if ('problems' in decoded) {
      for (const { field, description } of decoded.problems)
        problems.add([`${list}[${at}]`, field].filter(Boolean).join('.'), description);
      return [];
    }
    const { namespace: _, ...json } = toJson(schema, decoded.message) as JsonObject;
    return [json];
  });
}

function withTask(definition: JsonObject): JsonObject {
  if (definition.task !== undefined || definition.workflow !== undefined) return definition;
  return { ...definition, task: toJson(TaskBodySchema, create(TaskBodySchema)) };
}

function workersOf(value: unknown, where: string, problems: Problems): WorkerOffer[] {
  if (!isEntry(value)) {
    problems.add(where, 'must be a mapping: name, slots, and if need be count, handlers, labels, resources');
    return [];
  }
  refuseOthers(value, ['name', 'slots', 'count', 'handlers', 'labels', 'resources'], where, problems);
  checkWorker(value, where, problems);
  checkResources(value.resources ?? {}, where, problems);
  const { name, slots, count = 1, handlers, labels = {}, resources = {} } = value;
  const offer = {
    slots: Number(slots),
    handlers: handlers as string[] | undefined,
    labels: labels as Record<string, string>,
    resources: resources as Record<string, number>,
  };
  const copies = isWhole(count, MAX_WORKERS) ? Number(count) : 0;
  return Array.from({ length: copies }, (_, at) => ({
    ...offer,
    name: copies === 1 ? String(name) : `${name}-${at + 1}`,
  }));
}

function checkWorker(worker: Entry, where: string, problems: Problems): void {
  const { name, slots, count = 1, handlers, labels = {} } = worker;
  const check = (isFine: boolean, field: string, reason: string) => {
    if (!isFine) problems.add(`${where}.${field}`, reason);
  };
  const isName = typeof name === 'string' && /^[\w.-]{1,63}$/.test(name);
  check(isName, 'name', 'must be of letters, digits, "-", "_" and ".", at most 63');
  check(isWhole(slots, MAX_SLOTS), 'slots', `must be a whole number from 1 to ${MAX_SLOTS}`);
  check(isWhole(count, MAX_WORKERS), 'count', `must be a whole number from 1 to ${MAX_WORKERS}`);
  check(handlers === undefined || isTexts(handlers), 'handlers', 'must be a list of names; left out: all');
  check(isEntry(labels) && isTexts(Object.values(labels)), 'labels', 'must be a mapping of texts');
}

function checkResources(resources: unknown, where: string, problems: Problems): void {
  if (!isEntry(resources) || Object.values(resources).some((amount) => typeof amount !== 'number'))
    problems.add(`${where}.resources`, 'must be a mapping of numbers, such as { gpu: 1, memory: 4294967296 }');
  else
    for (const { field, description } of faultsOfResources(resources as Record<string, number>))
      problems.add(`${where}.${field}`, description);
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== '');
}

function refuseOthers(entry: Entry, known: readonly string[], where: string, problems: Problems): void {
  for (const key of Object.keys(entry).filter((one) => !known.includes(one))) {
    const near = nearName(key, known);
    const reason =
      near === undefined ? `is no field; there are ${known.join(', ')}` : `is no field; did you mean ${near}?`;
    problems.add([where, key].filter(Boolean).join('.'), reason);
  }
}

function refuseTwins(list: string, named: readonly { readonly name?: unknown }[], problems: Problems): void {
  const names = named.map(({ name }) => name);
  const twin = names.find((name, at) => names.indexOf(name) !== at);
  if (twin !== undefined) problems.add(list, `has ${twin} twice`);
}
