/** What a workflow's expression reads, from its syntax alone. */
import type { parse } from '@bufbuild/cel';

/** A variable with its fields, such as `steps.charge.output.amount`. */
export interface Path {
  readonly parts: readonly string[];
  /** Inside `has()`, which is false if the path does not exist. */
  readonly isTest: boolean;
}

export type Paths = readonly Path[] | { readonly problem: string };

const ofWorkflow = ['input', 'job_id', 'labels'];
const ofSteps = ['output', 'state'];

/** Undefined: the expression is not only a path. */
export function pathOf(expr: Expr): Path | undefined {
  const parts: string[] = [];
  let isTest = false;
  for (let at: Expr | undefined = expr; at; ) {
    const { exprKind }: Expr = at;
    if (exprKind.case === 'identExpr') return { parts: [exprKind.value.name, ...parts.reverse()], isTest };
    if (exprKind.case !== 'selectExpr') return undefined;
    parts.push(exprKind.value.field);
    isTest ||= exprKind.value.testOnly;
    at = exprKind.value.operand;
  }
  return undefined;
}

/** All paths, or the problem of one as the end of a sentence. Not recursive: expressions may be deep. */
export function pathsIn(root: Expr, isFunction: (name: string) => boolean): Paths {
  const paths: Path[] = [];
  const waiting = [root];
  for (let expr = waiting.pop(); expr; expr = waiting.pop()) {
    const path = pathOf(expr);
    if (path) {
      const problem = problemOf(path);
      if (problem) return { problem };
      paths.push(path);
      continue;
    }
    const { exprKind } = expr;
    if (exprKind.case === 'callExpr' && /^[a-z]/i.test(exprKind.value.function) && !isFunction(exprKind.value.function))
      return { problem: `calls ${exprKind.value.function}, which is not a CEL function` };
    waiting.push(...partsOf(expr));
  }
  return paths;
}

function partsOf({ exprKind }: Expr): Expr[] {
  const parts = () => {
    switch (exprKind.case) {
      case 'selectExpr':
        return [exprKind.value.operand];
      case 'callExpr':
        return [exprKind.value.target, ...exprKind.value.args];
      case 'listExpr':
        return exprKind.value.elements;
      case 'structExpr':
        return exprKind.value.entries.flatMap(({ keyKind, value }) => [
          keyKind.case === 'mapKey' ? keyKind.value : undefined,
          value,
        ]);
      default:
        return [];
    }
  };
  return parts().filter((part) => part !== undefined);
}

function problemOf({ parts: [root, first, second] }: Path): string | undefined {
  if (root === 'workflow' && !ofWorkflow.includes(first ?? ''))
    return `uses workflow other than as ${ofWorkflow.map((name) => `workflow.${name}`).join(', ')}`;
  if (root === 'steps' && !ofSteps.includes(second ?? ''))
    return `uses steps other than as steps.NAME.output or steps.NAME.state${first ? `: after steps.${first}` : ''}`;
  return undefined;
}

export type Expr = NonNullable<ReturnType<typeof parse>['expr']>;
