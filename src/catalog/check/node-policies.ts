// What a node says of attempts, time, branches and approval: each part has a meaning, and the parts agree.

import type { FieldError } from '../../base/errors.ts'
import { type ApprovalPolicy, approvalRole } from '../../contract/approval.ts'
import { durationMs } from '../../contract/duration.ts'
import type { RetryPolicy, WorkflowNode } from '../../contract/workflow.ts'
import { below, repeated } from './checks.ts'

export function policyErrors(node: WorkflowNode): FieldError[] {
  return [
    ...(node.retry === undefined ? [] : below('/retry', retryErrors(node.retry))),
    ...timeoutErrors(node),
    ...kindErrors(node),
  ]
}

function retryErrors({ maxAttempts, backoff, maxBackoff }: RetryPolicy): FieldError[] {
  const errors: FieldError[] = []
  if (backoff !== undefined && maxBackoff !== undefined && durationMs(maxBackoff) < durationMs(backoff))
    errors.push({ path: '/max_backoff', message: 'must be at least "backoff"' })
  if (maxAttempts === 1 && backoff !== undefined)
    errors.push({ path: '/max_attempts', message: 'must be at least 2 where "backoff" is given' })
  return errors
}

/** Nodes that run something which tells that it is alive. */
const ALIVE: ReadonlySet<WorkflowNode['type']> = new Set(['agent', 'tool', 'workflow'])

function timeoutErrors({ type, timeout }: WorkflowNode): FieldError[] {
  const { idle, run } = timeout ?? {}
  if (idle === undefined) return []
  if (!ALIVE.has(type))
    return [
      {
        path: '/timeout/idle',
        message: `has no meaning on a node of type "${type}", which gives no signs of life; use "run"`,
      },
    ]
  if (run === undefined || durationMs(idle) <= durationMs(run)) return []
  return [{ path: '/timeout/idle', message: 'must be at most "run", which ends the attempt before' }]
}

function kindErrors(node: WorkflowNode): FieldError[] {
  if (node.type === 'wait') return waitErrors(node)
  if (node.type === 'approval') return below('/approval', approvalErrors(node.approval ?? {}))
  if (node.type !== 'parallel' && node.type !== 'race') return []
  return repeated(
    node.branches,
    ({ id }) => id,
    (index, first) => ({
      path: `/branches/${index}/id`,
      message: `is the id of /branches/${first} too; each branch needs its own`,
    }),
  )
}

function waitErrors(node: Extract<WorkflowNode, { type: 'wait' }>): FieldError[] {
  const given = [node.for, node.until, node.event].filter((one) => one !== undefined).length
  if (given === 1) return []
  const message = 'must have one of "for", "until" and "event"'
  return [{ path: '', message: given === 0 ? message : `${message}; it has ${given}` }]
}

function approvalErrors({ role, expiresAfter, onExpiry, escalate }: ApprovalPolicy): FieldError[] {
  const errors: FieldError[] = []
  if (onExpiry !== undefined && expiresAfter === undefined)
    errors.push({ path: '/on_expiry', message: 'has no meaning without "expires_after"' })
  if (escalate === undefined) return errors
  if (expiresAfter !== undefined && durationMs(escalate.after) >= durationMs(expiresAfter))
    errors.push({ path: '/escalate/after', message: 'must be less than "expires_after"' })
  if (role !== undefined && rank(escalate.role) <= rank(role))
    errors.push({ path: '/escalate/role', message: `must be a higher role than "${role}"` })
  return errors
}

function rank(role: (typeof approvalRole.options)[number]): number {
  return approvalRole.options.indexOf(role)
}
