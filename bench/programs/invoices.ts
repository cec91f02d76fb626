// Invoices: a tenant's period with very many usage records is closed and drafted, and the draft finalised, again and again.

import type { TenantId } from '../../src/base/ids.ts'
import type { Metric } from '../../src/contract/money.ts'
import { closePeriods } from '../../src/money/invoices/closing/close-periods.ts'
import { finaliseDrafts } from '../../src/money/invoices/closing/finalise-drafts.ts'
import { FINALISE_AFTER_MS } from '../../src/money/invoices/invoice.ts'
import { type AdminSession, adminOf } from '../../src/storage/admin.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations/migrate.ts'
import { openDatabase } from '../../src/storage/open.ts'
import { type BilledTenant, type BillingScene, openBilling } from '../../test/support/billing.ts'
import { answerQuestions } from '../support/answer.ts'

export interface InvoicesInput {
  readonly databaseUrl: string
  /** How many records the invoice is over. */
  readonly records: number
}

export type InvoicesQuestion =
  | { readonly type: 'invoice' }
  /** Cleans up as the server does by itself in time. */
  | { readonly type: 'vacuum' }

export interface InvoicesAnswer {
  /** The period is closed: its usage is added up, the draft written, the subscription moved on. */
  readonly draftedMs: number
  /** The draft is worked out anew and finalised with its number. */
  readonly finalisedMs: number
}

const STARTS = '2026-01-01T00:00:00Z'
const START = Date.parse(STARTS)
const END = Date.parse('2026-02-01T00:00:00Z')
const PLAN = 'bench'
const SHARE_OF_OTHERS = 0.1

/** What each record in turn is: most are calls of models, as in a run. */
const TURNS = ['model_call', 'model_call', 'tool_call', 'model_call', 'agent_run'] as const
const METRICS: readonly Metric[] = ['token', 'tool_call', 'agent_run', 'workflow_run', 'storage']
const TOKENS = 1_500
const RAW_USAGE = JSON.stringify({
  prompt_tokens: 1_200,
  completion_tokens: 300,
  prompt_tokens_details: { cached_tokens: 800, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 100, audio_tokens: 0 },
})

await answerQuestions<InvoicesInput, null, InvoicesQuestion, InvoicesAnswer>(
  async ({ databaseUrl, records }) => {
    await using opened = new AsyncDisposableStack()
    const db = opened.use(await openDatabase(databaseUrl, { postgres: { statementMsMax: 600_000 } }))
    await migrate(db)
    const scene = openBilling(db, STARTS)
    const overage = METRICS.map((metric) => ({ metric, model: 'per_unit', unitPrice: '0.000001' }) as const)
    await scene.plan({ key: PLAN, basePrice: '29.00', overage })
    const billed = await scene.subscribed(PLAN)
    const other = await scene.tenant()
    await adminOf(db).session(async (session) => {
      await fill(session, billed.tenantId, records)
      await fill(session, other.tenantId, Math.round(records * SHARE_OF_OTHERS))
    })
    const stack = opened.move()
    return {
      ready: null,
      answer: async ({ type }) => {
        if (type === 'invoice') return invoice(db, scene, billed, records)
        await adminOf(db).session((session) => session.script('vacuum (analyze) usage_records'))
        return { draftedMs: 0, finalisedMs: 0 }
      },
      close: () => stack.disposeAsync(),
    }
  },
)

async function invoice(
  db: Database,
  scene: BillingScene,
  billed: BilledTenant,
  records: number,
): Promise<InvoicesAnswer> {
  const startedAt = performance.now()
  await closePeriods(db, scene.set(END))
  const draftedAt = performance.now()
  await finaliseDrafts(db, scene.set(END + FINALISE_AFTER_MS))
  const finalisedAt = performance.now()
  await checkInvoice(scene, billed.tenantId, records)
  await adminOf(db).session((session) => reopen(session))
  return { draftedMs: draftedAt - startedAt, finalisedMs: finalisedAt - draftedAt }
}

/** Every record is on the invoice once: otherwise what was measured was not the work. */
async function checkInvoice({ invoices }: BillingScene, tenantId: TenantId, records: number): Promise<void> {
  const [newest] = (await invoices.list(tenantId, { limit: 1, state: 'open' })).items
  if (newest === undefined || newest.periodEnd !== END) throw new Error('The period has no invoice.')
  const { lines } = await invoices.get(tenantId, newest.id)
  const quantityOf = (metric: Metric): number =>
    lines.find((line) => line.metric === metric)?.quantity ?? Number.NaN
  const counted = quantityOf('token') / TOKENS + quantityOf('tool_call') + quantityOf('agent_run')
  if (counted !== records) throw new Error(`The invoice counts ${counted} records, not ${records}.`)
}

/** Puts the subscription back into the period, and takes its invoice away. */
async function reopen(session: AdminSession): Promise<void> {
  await session.script(`
    delete from invoice_lines where invoice_id in (select id from invoices where period_end = ${END});
    delete from invoices where period_end = ${END};
    update subscriptions set period_start = ${START}, usage_from = ${START}, period_end = ${END};
  `)
}

/** Records spread evenly over the period, in the order in which they were accepted. */
async function fill(session: AdminSession, tenantId: TenantId, records: number): Promise<void> {
  const numbers =
    session.dialect === 'sqlite'
      ? `with recursive numbers(n) as (select 0 union all select n + 1 from numbers where n + 1 < ${records})`
      : `with numbers as (select generate_series(0, ${records - 1}) as n)`
  const kind = `case n % ${TURNS.length} ${TURNS.map((turn, n) => `when ${n} then '${turn}'`).join(' ')} end`
  const ofModel = (value: string, otherwise: string): string =>
    `case when ${kind} = 'model_call' then ${value} else ${otherwise} end`
  const at = `${START} + cast(n as bigint) * ${END - START} / ${records}`
  await session.script(`
    ${numbers}
    insert into usage_records (
      tenant_id, id, kind, run_id, agent_id, workflow_id, user_id, api_key_id, project_id, model_call_id, model,
      quantity, usage_state, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
      raw_usage, cost_state, cost_nanos, price_id, replay, occurred_at, accepted_at
    )
    select
      '${tenantId}', 'use_bench_' || n, ${kind}, 'run_bench_' || (n / 20), 'agt_bench', null, 'usr_bench', null, null,
      ${ofModel(`'mdc_bench_' || n`, 'null')}, ${ofModel(`'openai/gpt-4.1'`, 'null')}, ${ofModel(String(TOKENS), '1')},
      'known', 1200, 800, 0, 300, 100, ${ofModel(`'${RAW_USAGE}'`, `'null'`)}, 'priced', 1234567, 'bench', 0, ${at}, ${at}
    from numbers;
  `)
}
