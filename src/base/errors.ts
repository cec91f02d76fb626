// Expected failures: one error class, one list of dotted codes. The API maps each code to a status.

/** Every code that a client can meet. A new code does not compile until `contract/problem.ts` gives it a status. */
export const ERROR_CODES = [
  'request.malformed',
  'request.invalid',
  'request.too-large',
  'request.unsupported-media-type',
  'request.method-not-allowed',
  'request.timeout',
  'route.not-found',
  'idempotency.key-reused',
  'idempotency.in-progress',
  'cursor.invalid',
  'auth.missing',
  'auth.invalid',
  'auth.expired',
  'access.denied',
  'rate.limited',
  'tenant.not-found',
  'tenant.suspended',
  'api-key.not-found',
  'agent.not-found',
  'agent.name-taken',
  'agent.not-published',
  'agent.archived',
  'agent.cycle',
  'tool.not-found',
  'tool.name-taken',
  'tool.not-published',
  'tool.archived',
  'tool.unregistered',
  'workflow.not-found',
  'workflow.name-taken',
  'workflow.archived',
  'workflow.not-published',
  'workflow.input-invalid',
  'workflow.output-invalid',
  'node.failed',
  'node.timeout',
  'expression.failed',
  'version.not-found',
  'version.conflict',
  'definition.invalid',
  'definition.in-use',
  'session.not-found',
  'session.busy',
  'run.not-found',
  'run.finished',
  'run.state-conflict',
  'run.lost',
  'run.not-replayable',
  'step.not-found',
  'job.not-found',
  'job.state-conflict',
  'job.unroutable',
  'job.failed',
  'approval.not-found',
  'approval.decided',
  'approval.not-yours',
  'approval.arguments-changed',
  'approval.link-invalid',
  'approval.declined',
  'trigger.not-found',
  'trigger.name-taken',
  'trigger.paused',
  'trigger.failed',
  'model-call.not-found',
  'model.unknown',
  'model.not-configured',
  'model.failed',
  'model.refused',
  'model.empty',
  'model.timeout',
  'output.invalid',
  'guardrail.blocked',
  'tool.failed',
  'tool.declined',
  'tool.timeout',
  'tool.input-invalid',
  'tool.output-invalid',
  'tool.output-too-large',
  'limit.steps',
  'limit.tool-calls',
  'limit.tokens',
  'limit.money',
  'limit.time',
  'limit.identical-calls',
  'limit.depth',
  'limit.iterations',
  'project.not-found',
  'project.name-taken',
  'price.not-found',
  'price.overlap',
  'rerate.not-found',
  'cost.not-found',
  'budget.not-found',
  'budget.name-taken',
  'budget.archived',
  'budget.exceeded',
  'budget.unpriced',
  'budget.unavailable',
  'plan.not-found',
  'plan.in-use',
  'plan.key-taken',
  'plan.limit',
  'plan.feature-missing',
  'billing.not-set-up',
  'billing.restricted',
  'subscription.not-found',
  'subscription.exists',
  'subscription.state-conflict',
  'invoice.not-found',
  'invoice.state-conflict',
  'billing-item.not-found',
  'stripe.not-configured',
  'stripe.failed',
  'stripe.signature-invalid',
  'outbound.refused',
  'outbound.failed',
  'settings.invalid',
  'engine.unavailable',
  'storage.newer-schema',
  'storage.checksum-mismatch',
  'storage.locked',
  'storage.full',
  'server.stopping',
  'server.unavailable',
  'internal',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** One wrong field: where (a JSON Pointer in wire names, `''` for the whole), and what is wrong with what is allowed. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

export interface AppErrorOptions {
  readonly errors?: readonly FieldError[]
  readonly retryAfterMs?: number
  /** For the log only, never shown to a user. */
  readonly cause?: unknown
}

/** A failure that a user may meet: `message` is one line that says what to do and may be shown; `cause` may not. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly errors: readonly FieldError[]
  readonly retryAfterMs: number | undefined

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.errors = options.errors ?? []
    this.retryAfterMs = options.retryAfterMs
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code)
}
