// Guardrails: expressions compile, patterns are safe, and what is asked for can be done.

import type { FieldError } from '../../base/errors.ts'
import type { Guardrail } from '../../contract/agent.ts'
import type { Checks } from './checks.ts'
import { below, repeated } from './checks.ts'

const TEXT_VARIABLES = ['text']
const TOOL_CALL_VARIABLES = ['tool', 'arguments']

export function guardrailErrors(checks: Checks, guardrails: readonly Guardrail[]): FieldError[] {
  const names = repeated(
    guardrails,
    ({ name }) => name,
    (index, first) => ({
      path: `/guardrails/${index}/name`,
      message: `is the name of /guardrails/${first} too; each needs its own`,
    }),
  )
  return [
    ...names,
    ...guardrails.flatMap((rail, index) =>
      below(`/guardrails/${index}`, [...checkErrors(checks, rail), ...actionErrors(rail)]),
    ),
  ]
}

function checkErrors(checks: Checks, { on, check }: Guardrail): FieldError[] {
  switch (check.type) {
    case 'expression': {
      const variables = on === 'tool_call' ? TOOL_CALL_VARIABLES : TEXT_VARIABLES
      return below('/check/when', checks.checkExpression(check.when, variables))
    }
    case 'pattern':
      return below('/check/pattern', checks.checkPattern(check.pattern))
    case 'code':
      return []
    default:
      return check satisfies never
  }
}

function actionErrors({ check, action, replacement }: Guardrail): FieldError[] {
  const errors: FieldError[] = []
  if (action === 'modify' && check.type === 'expression') {
    errors.push({
      path: '/action',
      message:
        'must be "block": an expression says whether, not what to replace; use a pattern or code to modify',
    })
  }
  if (replacement !== undefined && (action !== 'modify' || check.type !== 'pattern')) {
    errors.push({
      path: '/replacement',
      message: 'is only for a pattern with the action "modify": leave it out',
    })
  }
  return errors
}
