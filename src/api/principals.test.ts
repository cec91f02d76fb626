// Who may ask what: every route, by every role and by keys of every kind. Expected is what the route table and the roles
// declare; what is let in is found by asking.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Json } from '../base/json.ts'
import { EXAMPLE_BODIES } from '../contract/openapi/examples.ts'
import { PERMISSIONS, type Permission, ROLE_PERMISSIONS, type Role } from '../contract/permission.ts'
import { fullPath } from '../contract/route.ts'
import { ROUTE_LIST } from '../contract/routes.ts'
import { adminOf } from '../storage/admin.ts'
import { type ApiBench, at, openApiBench, type Received } from './api-bench.test.ts'

type Asked = (typeof ROUTE_LIST)[number]

/** Written out, so that a route whose permission was loosened is seen. ADMIN adds keys, the tenant and the audit log. */
const READS = ['list#s', 'get#', 'list#Versions', 'get#Version', 'diff#']
const WRITES = ['create#', 'update#', 'delete#', 'publish#', 'rollback#']
const of = (forms: readonly string[]) =>
  ['Agent', 'Tool', 'Workflow'].flatMap((kind) => forms.map((form) => form.replace('#', kind)))
const APPROVALS = ['listApprovals', 'getApproval']
const ANSWERS = ['decideApproval', 'createApprovalLink', 'decideEarly']
const LINKS = ['openApprovalLink', 'answerApprovalLink']
const RUNS = [
  'listRuns',
  'getRun',
  'listSteps',
  'listRunEvents',
  'getSession',
  'listSessionTurns',
  'getJob',
  'listJobs',
]
const TRIGGERS = ['listTriggers', 'getTrigger']
const TRIGGER_WRITES = ['createTrigger', 'updateTrigger', 'deleteTrigger', 'rotateTriggerSecret', 'sendEvent']
const PROJECTS = ['listProjects', 'getProject']
const PROJECT_WRITES = ['createProject', 'updateProject']
const USER_MAY = [
  ...of(READS),
  ...RUNS,
  ...APPROVALS,
  ...TRIGGERS,
  ...PROJECTS,
  'startRun',
  'startWorkflow',
  'createSession',
  'cancelRun',
]
const PRICES = ['listPrices', 'getPrice', 'diffPrices', 'comparePrices']
const PRICE_WRITES = ['setPrice', 'withdrawPrice']
const COSTS = [
  'listCosts',
  'getCosts',
  'estimateCost',
  'listRerates',
  'getRerate',
  'getCostReport',
  'downloadCostReport',
  'listHints',
]
const COST_WRITES = ['recordCosts', 'createRerate']
const BUDGETS = ['listBudgets', 'getBudget', 'listBudgetHistory', 'listBudgetPeriods']
const BUDGET_WRITES = ['createBudget', 'updateBudget', 'topUpBudget', 'transferBudget', 'archiveBudget']
const INVOICES = [
  'getBillingSummary',
  'getTenantBilling',
  'listInvoices',
  'getInvoice',
  'getInvoicePdf',
  'getInvoiceCsv',
  'explainInvoiceLine',
  'listBillingItems',
]
const PLANS = [
  'listPlans',
  'getPlan',
  'getBillingAccount',
  'getSubscription',
  'getEntitlements',
  'getUsage',
  'getStripeStatus',
]
const SUBSCRIBING = [
  'putBillingAccount',
  'createSubscription',
  'changeSubscription',
  'cancelSubscription',
  'pauseSubscription',
  'resumeSubscription',
  'ingestUsage',
  'createStripeCheckout',
  'createStripePortal',
  'reconcileStripe',
]
const PROMPTS = ['listModelCalls', 'getModelCall']
const CREATOR_MAY = [
  ...USER_MAY,
  ...of(WRITES),
  ...ANSWERS,
  ...TRIGGER_WRITES,
  ...PROJECT_WRITES,
  ...PRICES,
  'testTool',
  'importTools',
  'resolveRun',
  'replayRun',
  ...PROMPTS,
  ...BUDGETS,
  ...COSTS,
  ...INVOICES,
  ...PLANS,
]
const KEYS = ['listApiKeys', 'createApiKey', 'getApiKey', 'revokeApiKey']
const JOBS = ['cancelJob', 'retryJob', 'redriveJob', 'redriveJobs']
const ADMIN_MAY = [
  ...CREATOR_MAY,
  ...PRICE_WRITES,
  ...BUDGET_WRITES,
  ...COST_WRITES,
  ...SUBSCRIBING,
  ...KEYS,
  ...JOBS,
  'updateTenant',
  'listAudit',
]
const MAY: Readonly<Record<Role, readonly string[]>> = {
  USER: USER_MAY,
  CREATOR: CREATOR_MAY,
  ADMIN: ADMIN_MAY,
}
const ANYBODY: ReadonlySet<string> = new Set([
  'livez',
  'readyz',
  'openapi',
  'docs',
  'receiveWebhook',
  'receiveStripeEvent',
  'whoami',
  'getTenant',
  ...LINKS,
])

/** Nobody grants what they do not hold, or lets run what they may not: these stop at something else. */
const OWN_BODIES: Readonly<Record<string, Json>> = {
  createApiKey: { name: 'x', permissions: ['ADMIN'] },
  createTrigger: { kind: 'schedule', name: 'x', target: { agent: 'x' }, cron: 'never' },
}

describe('who may ask what', () => {
  let bench: ApiBench
  before(async () => {
    bench = await openApiBench({ working: false })
  })
  after(() => bench[Symbol.asyncDispose]())

  /** Asks the route about things that are not there: whoever is let in hears just that. */
  const ask = (route: Asked, key: string): Promise<Received> => {
    const path = fullPath(route).replace(
      /\{(\w+)\}/g,
      (_, name: string) => route.params?.[name]?.example ?? '',
    )
    const query = route.query && 'from' in route.query.shape ? '?from=1&to=2' : ''
    const body = OWN_BODIES[route.id] ?? EXAMPLE_BODIES[route.id]
    return bench.send(route.method, `${path}${query}`, { key, body, headers: { accept: 'application/json' } })
  }
  /** The routes that a key opens, and for each other one the code with which it is closed. */
  const opened = async (key: string): Promise<string[]> => {
    const rows: string[] = []
    for (const route of ROUTE_LIST) {
      const received = await ask(route, key)
      const code = String(at(received.json, 'code') ?? '')
      const isClosed = code === 'access.denied' || code.startsWith('auth.') || code === 'tenant.suspended'
      assert.ok(received.status < 500, `${route.id}: ${received.text}`)
      rows.push(`${route.id}: ${isClosed ? code : 'open'}`)
    }
    return rows
  }
  const declared = (held: readonly Permission[]): string[] =>
    ROUTE_LIST.map(({ id, permission }) => {
      const isOpen =
        permission === 'public' || permission === 'authenticated' || held.some((one) => one === permission)
      return `${id}: ${isOpen ? 'open' : 'access.denied'}`
    })
  /** Where a key is no key: only what is public is open. */
  const closed = (code: string): string[] =>
    ROUTE_LIST.map(({ id, permission }) => `${id}: ${permission === 'public' ? 'open' : code}`)

  for (const role of Object.keys(ROLE_PERMISSIONS) as Role[]) {
    it(`${role}: what the role holds, whatever the key says`, async () => {
      const { key } = await bench.account({ tenantId: bench.ada.tenantId, role })
      const rows = await opened(key)
      assert.deepEqual(rows, declared(ROLE_PERMISSIONS[role]))
      const open = rows.filter((row) => row.endsWith(': open')).map((row) => row.replace(': open', ''))
      assert.deepEqual(open.filter((id) => !ANYBODY.has(id)).toSorted(), MAY[role].toSorted())
    })
  }

  it('a key of one permission: what needs just that', async () => {
    for (const permission of PERMISSIONS) {
      const { key } = await bench.account({ tenantId: bench.ada.tenantId, permissions: [permission] })
      assert.deepEqual(await opened(key), declared([permission]), permission)
    }
  })

  it('an operator’s key: the platform as well, and only with ADMIN', async () => {
    const all = await opened(bench.ada.key)
    assert.deepEqual(
      all.filter((row) => !row.endsWith(': open')),
      [],
    )
    const narrow = await bench.send('POST', '/api/v1/api-keys', {
      body: { name: 'x', permissions: ['READ_RUNS'] },
    })
    assert.deepEqual(await opened(String(at(narrow.json, 'key'))), declared(['READ_RUNS']))
  })

  it('a key that is unknown, expired or revoked, and any of a suspended tenant: nothing', async () => {
    const sql = (text: string) => adminOf(bench.db).session((session) => session.script(text))
    const other = await bench.account()
    const expired = await bench.account({ tenantId: bench.ada.tenantId })
    const revoked = await bench.account({ tenantId: bench.ada.tenantId })
    const idOf = async (key: string) =>
      at((await bench.send('GET', '/api/v1/me', { key })).json, 'api_key_id')
    await bench.send('DELETE', `/api/v1/api-keys/${await idOf(revoked.key)}`)
    await sql(`update api_keys set expires_at = 1 where id = '${await idOf(expired.key)}'`)
    await sql(`update tenants set status = 'suspended' where id = '${other.tenantId}'`)
    assert.deepEqual(await opened(revoked.key), closed('auth.invalid'))
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    assert.deepEqual(await opened(expired.key), closed('auth.expired'))
    assert.deepEqual(await opened(other.key), closed('tenant.suspended'))
    assert.deepEqual(await opened(`af_${'0'.repeat(49)}`), closed('auth.invalid'))
  })

  it('each denial is in the audit log, and a flood of them does not fill it', async () => {
    const { key } = await bench.account({ tenantId: bench.ada.tenantId, permissions: ['READ_AGENTS'] })
    const me = await bench.send('GET', '/api/v1/me', { key })
    const denials = async () => {
      const { json } = await bench.send('GET', '/api/v1/audit?limit=200')
      const items = at(json, 'items') as readonly { readonly actor: string; readonly type: string }[]
      return items.filter(
        ({ actor, type }) => type === 'access.denied' && actor === at(me.json, 'api_key_id'),
      )
    }
    const denied = ROUTE_LIST.filter(
      ({ permission }) => permission !== 'public' && permission !== 'authenticated',
    )
    const wanted = new Set(denied.map(({ permission }) => permission).filter((one) => one !== 'READ_AGENTS'))
    for (let time = 0; time < 5; time++) for (const route of denied) await ask(route, key)
    assert.equal((await denials()).length, wanted.size)
  })
})
