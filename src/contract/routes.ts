// The table of routes. The server answers exactly these, the SDK calls them, /openapi.json tells them.

import type { Route } from './route.ts'
import { accountRoutes } from './routes/accounts.ts'
import { agentRoutes } from './routes/agents.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { billingRoutes } from './routes/billing.ts'
import { budgetRoutes } from './routes/budgets.ts'
import { costRoutes } from './routes/costs.ts'
import { invoiceRoutes } from './routes/invoices.ts'
import { jobRoutes } from './routes/jobs.ts'
import { platformRoutes } from './routes/platform.ts'
import { priceRoutes } from './routes/prices.ts'
import { projectRoutes } from './routes/projects.ts'
import { runRoutes } from './routes/runs.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { stripeRoutes } from './routes/stripe.ts'
import { toolRoutes } from './routes/tools.ts'
import { triggerRoutes } from './routes/triggers.ts'
import { workflowRoutes } from './routes/workflows.ts'

export const ROUTES = {
  ...agentRoutes,
  ...toolRoutes,
  ...workflowRoutes,
  ...runRoutes,
  ...approvalRoutes,
  ...sessionRoutes,
  ...jobRoutes,
  ...triggerRoutes,
  ...budgetRoutes,
  ...priceRoutes,
  ...invoiceRoutes,
  ...projectRoutes,
  ...billingRoutes,
  ...costRoutes,
  ...stripeRoutes,
  ...accountRoutes,
  ...platformRoutes,
} as const

export type Routes = typeof ROUTES
/** The operation id: `createAgent`. */
export type RouteId = keyof Routes

/** Every route with its operation id, in the order of the table. */
export const ROUTE_LIST: readonly (Route & { readonly id: RouteId })[] = (
  Object.keys(ROUTES) as RouteId[]
).map((id) => ({
  ...ROUTES[id],
  id,
}))
