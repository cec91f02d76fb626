// What a workflow's definition means, beyond its form: every error at once, each with its place.

import type { FieldError } from '../../base/errors.ts'
import {
  RUN_FACTS,
  WORKFLOW_DEPTH_MAX,
  WORKFLOW_NODES_MAX,
  type WorkflowDefinition,
  type WorkflowNode,
} from '../../contract/workflow.ts'
import { afterOf, blockOrder, innerBlocks } from '../../contract/workflow-graph.ts'
import { ANY_FIELD } from '../../sandbox/expression-fields.ts'
import type { Checks } from './checks.ts'
import { below, repeated } from './checks.ts'
import { expressionsOf, type NodeExpression } from './node-expressions.ts'
import { policyErrors } from './node-policies.ts'
import { indexOf, type NodeIndex, type Scope, scopeInside, VARIABLES, whyUnknown } from './workflow-scope.ts'

export function workflowErrors(checks: Checks, workflow: WorkflowDefinition): FieldError[] {
  const { nodes, inputSchema, outputSchema, output } = workflow
  const schemas = [
    ...(inputSchema ? below('/input_schema', checks.checkSchema(inputSchema)) : []),
    ...(outputSchema ? below('/output_schema', checks.checkSchema(outputSchema)) : []),
  ]
  const index = indexOf(nodes)
  // Too much to be looked at is refused before it is looked at.
  if (index.all.length > WORKFLOW_NODES_MAX) {
    const message = `has ${index.all.length} nodes with those inside of others; the most is ${WORKFLOW_NODES_MAX}`
    return [...schemas, { path: '/nodes', message }]
  }
  const look = { checks, index }
  const whole: Scope = { block: nodes, order: blockOrder(nodes), variables: VARIABLES, around: undefined }
  return [
    ...schemas,
    ...idErrors(index),
    ...blockErrors(look, whole, '/nodes', 1),
    ...(output === undefined
      ? []
      : sourceErrors(look, whole, undefined, { path: '/output', source: output, variables: [] })),
  ]
}

interface Look {
  readonly checks: Checks
  readonly index: NodeIndex
}

function idErrors({ all }: NodeIndex): FieldError[] {
  return repeated(
    all,
    ({ node }) => node.id,
    (index, first) => ({
      path: `${all[index]?.path}/id`,
      message: `is the id of ${all[first]?.path} too; each node of a workflow needs its own`,
    }),
  )
}

function blockErrors(look: Look, scope: Scope, at: string, depth: number): FieldError[] {
  if (depth > WORKFLOW_DEPTH_MAX)
    return [{ path: at, message: `is nested too deep: at most ${WORKFLOW_DEPTH_MAX} blocks in each other` }]
  const ids = new Set(scope.block.map(({ id }) => id))
  return [
    ...circleErrors(scope, at),
    ...scope.block.flatMap((node, index) => {
      const place = `${at}/${index}`
      const inner = innerBlocks(node).flatMap(({ path, nodes }) =>
        blockErrors(look, scopeInside(scope, node, nodes), place + path, depth + 1),
      )
      return [...below(place, nodeErrors(look, scope, node, ids)), ...inner]
    }),
  ]
}

function nodeErrors(look: Look, scope: Scope, node: WorkflowNode, ids: ReadonlySet<string>): FieldError[] {
  const { after = [], onError } = node
  return [
    ...after.flatMap((id, index) =>
      ids.has(id) ? [] : [{ path: `/after/${index}`, message: notHere(look, id) }],
    ),
    ...repeated(
      after,
      (id) => id,
      (index) => ({ path: `/after/${index}`, message: `names "${after[index]}" again` }),
    ),
    ...(typeof onError === 'object' && !ids.has(onError.goTo)
      ? [{ path: '/on_error/go_to', message: notHere(look, onError.goTo) }]
      : []),
    ...policyErrors(node),
    ...expressionsOf(node).flatMap((expression) => sourceErrors(look, scope, node, expression)),
  ]
}

function notHere({ index }: Look, id: string): string {
  return index.byId.has(id)
    ? `names "${id}", which is a node of another block; only nodes of the same block can be named`
    : `names "${id}", which is no node of this workflow`
}

/** One circle for each block, told where one of its nodes begins to wait. */
function circleErrors({ block, order: { circle } }: Scope, at: string): FieldError[] {
  if (circle === undefined) return []
  const [waiting = '', waitedFor = ''] = circle
  const place = (id: string): number => block.findIndex((node) => node.id === id)
  const here = block[place(waiting)]
  const path = afterOf(block, place(waiting)).includes(waitedFor)
    ? `${at}/${place(waiting)}${here?.after === undefined ? '' : '/after'}`
    : `${at}/${place(waitedFor)}/on_error/go_to`
  return [{ path, message: `closes a circle of nodes that wait for each other: ${circle.join(' → ')}` }]
}

/** What is wrong with an expression of a node, or of the whole workflow. */
function sourceErrors(
  { checks, index }: Look,
  scope: Scope,
  node: WorkflowNode | undefined,
  { path, source, variables: more, result, ownResult }: NodeExpression,
): FieldError[] {
  const variables = [...new Set([...scope.variables, ...more])]
  const errors = below(path, checks.checkExpression(source, variables, result))
  if (errors.length > 0) return errors
  const nodes = checks.expressionFields(source, variables, 'nodes').flatMap((id) => {
    // What else has ended by then differs from run to run.
    if (id === ANY_FIELD) return [{ path, message: 'must say which node it reads: nodes.<id>' }]
    if (ownResult && id === node?.id) return []
    const reason = whyUnknown(index, scope, node, id)
    return reason === undefined ? [] : [{ path, message: reason }]
  })
  const facts = checks
    .expressionFields(source, variables, 'run')
    .filter((fact) => fact !== ANY_FIELD && !RUN_FACTS.some((known) => known === fact))
    .map((fact) => ({ path, message: `reads run.${fact}; of the run, ${RUN_FACTS.join(', ')} are known` }))
  return [...nodes, ...facts]
}
