/** A definition as YAML that can be applied again in any namespace; fields that the server sets are in comments. */
import { type JsonObject, toJson } from '@bufbuild/protobuf';
import { type JobDefinition, JobDefinitionSchema } from '@muster-jobs/sdk/grpc';
import { stringify } from 'yaml';
import { timeText } from './times.ts';

const SCHEMAS = ['inputJsonSchema', 'outputJsonSchema'] as const;

export function definitionYaml(definition: JobDefinition): string {
  const json = toJson(JobDefinitionSchema, definition) as JsonObject;
  const { version, namespace, createTime: _made, archiveTime: _archived, ...own } = json;
  for (const name of SCHEMAS) if (typeof own[name] === 'string') own[name] = readable(own[name]);
  if (own.workflow) own.workflow = briefWorkflow(own.workflow as JsonObject);
  const archived = definition.archiveTime ? `, archived ${timeText(definition.archiveTime)}` : '';
  return `# version ${version} of namespace ${namespace}, made ${timeText(definition.createTime)}${archived}\n${stringify(own)}`;
}

/** Omits defaults of the steps, so that the steps and their needs stand out. */
function briefWorkflow({ steps, failureMode, ...workflow }: JsonObject): JsonObject {
  const usual: JsonObject = { triggerRule: 'TRIGGER_RULE_ALL_SUCCESS', role: 'STEP_ROLE_NORMAL' };
  const brief = (steps as JsonObject[]).map((step) =>
    Object.fromEntries(Object.entries(step).filter(([name, value]) => usual[name] !== value)),
  );
  return {
    steps: brief,
    ...workflow,
    ...(failureMode === 'FAILURE_MODE_FAIL_FAST' ? {} : { failureMode }),
  } as JsonObject;
}

/**
 * A schema as a tree if serializing it yields the identical text; otherwise applying it would create another version.
 */
function readable(text: string): JsonObject | string {
  const tree = JSON.parse(text) as JsonObject;
  return JSON.stringify(tree) === text ? tree : text;
}
