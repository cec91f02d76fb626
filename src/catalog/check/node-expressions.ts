// The expressions of a node, each with its place and with what it knows and gives beside the rest of its block.

import type { WorkflowNode } from '../../contract/workflow.ts'
import type { ExpressionResult } from '../../sandbox/expression-check.ts'

export interface NodeExpression {
  /** Below the node. */
  readonly path: string
  readonly source: string
  readonly variables: readonly string[]
  readonly result?: ExpressionResult
  /** Whether it is looked at when the node itself has ended. */
  readonly ownResult?: true
}

export function expressionsOf(node: WorkflowNode): readonly NodeExpression[] {
  const { when, compensate } = node
  return [
    ...(when === undefined ? [] : [plain('/when', when, 'condition')]),
    ...ownExpressions(node),
    ...(compensate === undefined
      ? []
      : [
          {
            path: '/compensate/input',
            source: compensate.input,
            variables: ['result'],
            ownResult: true as const,
          },
        ]),
  ]
}

function ownExpressions(node: WorkflowNode): readonly NodeExpression[] {
  switch (node.type) {
    case 'agent':
    case 'tool':
    case 'workflow':
    case 'approval':
      return [plain('/input', node.input)]
    case 'transform':
      return [plain('/value', node.value)]
    case 'wait': {
      const { until, event } = node
      return [
        ...(until === undefined ? [] : [plain('/until', until, 'time')]),
        ...(event?.correlation === undefined ? [] : [plain('/event/correlation', event.correlation, 'text')]),
      ]
    }
    case 'switch':
      return node.cases.map(({ when }, index) => plain(`/cases/${index}/when`, when, 'condition'))
    case 'parallel':
    case 'race':
      return []
    case 'for_each':
      return [plain('/items', node.items, 'list')]
    case 'loop':
      return [
        {
          path: '/while',
          source: node.while,
          variables: ['index', 'previous'],
          result: 'condition',
        },
      ]
    default:
      return node satisfies never
  }
}

function plain(path: string, source: string, result?: ExpressionResult): NodeExpression {
  return { path, source, variables: [], ...(result && { result }) }
}
