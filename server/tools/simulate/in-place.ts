/** Ports of a simulated replica that need no thread and no validator. */
import { evaluateAll } from '../../domain/workflows/expressions/evaluation.ts';
import type { Expressions, Schemas } from '../../engine/ports/ports.ts';

/** Inputs are not checked: no definition of a simulation has a schema, and arrivals need no valid input. */
const schemas: Schemas = {
  compile: async () => undefined,
  validate: async (checks) => checks.map(() => undefined),
};

const expressions: Expressions = { evaluate: async (evaluation) => evaluateAll(evaluation) };

export const inPlace = { schemas, expressions };
