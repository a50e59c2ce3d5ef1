/** Makes the parts of definitions. */
import type { EnginePorts } from '../base/engine-ports.ts';
import { StepDefinitions } from '../workflows/steps/definitions.ts';
import { DefinitionChanges } from './definition-changes.ts';
import { Definitions } from './definitions.ts';

type Ports = Pick<EnginePorts, 'store' | 'schemas' | 'clock' | 'timers'>;

/** What the API sees of them. */
export interface DefinitionsApi {
  readonly definitions: Definitions;
  readonly definitionChanges: DefinitionChanges;
}

export function createDefinitions({ store, schemas, clock, timers }: Ports): DefinitionsApi {
  const definitions = new Definitions(store, clock);
  const steps = new StepDefinitions(definitions, timers);
  return { definitions, definitionChanges: new DefinitionChanges({ store, schemas, definitions, steps }) };
}
