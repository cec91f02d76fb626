// Permissions and roles: the one list. Every route and command names one of these, or does not start.

export const PERMISSIONS = [
  'READ_AGENTS',
  'WRITE_AGENTS',
  'DELETE_AGENTS',
  'RUN_AGENTS',
  'READ_TOOLS',
  'WRITE_TOOLS',
  'DELETE_TOOLS',
  'RUN_TOOLS',
  'READ_WORKFLOWS',
  'WRITE_WORKFLOWS',
  'DELETE_WORKFLOWS',
  'RUN_WORKFLOWS',
  /** Schedules, webhooks and events that start runs. */
  'READ_TRIGGERS',
  'WRITE_TRIGGERS',
  /** Send a named event to what waits for it. */
  'SEND_SIGNALS',
  'READ_BLUEPRINTS',
  'PUBLISH_BLUEPRINTS',
  'READ_RUNS',
  'CANCEL_RUNS',
  /** Answer a waiting run: approve a tool call, say what became of one in doubt. */
  'RESOLVE_RUNS',
  /** Read what was said to and by models. */
  'READ_PROMPTS',
  /** Retry, redrive and cancel jobs. */
  'MANAGE_JOBS',
  'READ_AUDIT',
  /** Costs, prices, budgets, usage, plans and invoices of the tenant. */
  'READ_BILLING',
  /**
   * Set budgets and prices, tell costs and usage, rate anew, subscribe and cancel. What an invoice comes to is not among
   * it: to finalise, pay, void and credit is the operator's (OPERATE_PLATFORM), as plans are.
   */
  'MANAGE_BILLING',
  'READ_PROJECTS',
  'WRITE_PROJECTS',
  'ADMIN',
] as const

export type Permission = (typeof PERMISSIONS)[number]
export type Role = 'USER' | 'CREATOR' | 'ADMIN'

/** The platform's own permission: held by OPERATOR only, never through a tenant's role. */
export const OPERATE = 'OPERATE_PLATFORM'

const USER: readonly Permission[] = [
  'READ_AGENTS',
  'RUN_AGENTS',
  'READ_TOOLS',
  'READ_WORKFLOWS',
  'RUN_WORKFLOWS',
  'READ_TRIGGERS',
  'READ_BLUEPRINTS',
  'READ_RUNS',
  'CANCEL_RUNS',
  'READ_PROJECTS',
]

const CREATOR: readonly Permission[] = [
  ...USER,
  'WRITE_AGENTS',
  'DELETE_AGENTS',
  'WRITE_TOOLS',
  'DELETE_TOOLS',
  'RUN_TOOLS',
  'WRITE_WORKFLOWS',
  'DELETE_WORKFLOWS',
  'WRITE_TRIGGERS',
  'SEND_SIGNALS',
  'PUBLISH_BLUEPRINTS',
  'RESOLVE_RUNS',
  'READ_PROMPTS',
  'READ_BILLING',
  'WRITE_PROJECTS',
]

/** What a role holds. ADMIN holds every permission of its tenant. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  USER,
  CREATOR,
  ADMIN: PERMISSIONS,
}
