// Reconciles the invoices of a simulated month: each line is counted again from the ledger and from the rows, and priced
// again from the words of the plan; costs are compared with the prompt log. It uses none of the code that makes invoices.

import type { InvoiceId, TenantId } from '../../src/base/ids.ts'
import { METRICS, type Metric } from '../../src/contract/money.ts'
import type { CreatePlan, OverageInput } from '../../src/contract/plan.ts'
import type { Invoice } from '../../src/money/invoices/create-invoices.ts'
import type { Database } from '../../src/storage/database.ts'
import { type Bind, statement } from '../../src/storage/statement.ts'
import type { SimulatedMonth, SimulatedTenant } from './simulated-month.ts'

export interface Reconciled {
  readonly tenantId: TenantId
  readonly currency: string
  readonly runs: number
  readonly records: number
  readonly told: number
  readonly invoices: number
  readonly lines: number
  readonly billed: string
  readonly costNanos: bigint
  /** What does not agree; empty where everything does. */
  readonly differences: readonly string[]
}

const PAGE = 5_000
const DIGITS: Readonly<Record<string, number>> = { USD: 2, EUR: 2, JPY: 0, KWD: 3 }

export async function reconcile({ scene, tenants }: SimulatedMonth): Promise<readonly Reconciled[]> {
  const done: Reconciled[] = []
  for (const tenant of tenants) {
    const { items } = await scene.invoices.list(tenant.tenantId, { limit: 200 })
    const invoices = await Promise.all(items.map(({ id }) => scene.invoices.get(tenant.tenantId, id)))
    done.push(await reconcileTenant(scene.db, scene.invoices, tenant, invoices))
  }
  return done
}

type Explain = SimulatedMonth['scene']['invoices']

async function reconcileTenant(
  db: Database,
  explaining: Explain,
  tenant: SimulatedTenant,
  invoices: readonly Invoice[],
): Promise<Reconciled> {
  const { tenantId, plan, ledger } = tenant
  const currency = plan.currency
  const digits = DIGITS[currency] ?? 2
  const rows = await allUsage(db, tenantId)
  const log = await promptLog(db, tenantId)
  const differences: string[] = []
  const check = (what: string, is: unknown, shouldBe: unknown): void => {
    if (String(is) !== String(shouldBe)) differences.push(`${what}: ${is}, not ${shouldBe}`)
  }

  check('usage records', rows.length, ledger.size)
  for (const row of rows) {
    const entry = ledger.get(row.id)
    if (entry === undefined) differences.push(`the record ${row.id} was never told`)
    else
      check(
        `record ${row.id}`,
        `${row.quantity} ${row.acceptedAt} ${row.replay}`,
        `${entry.quantity} ${entry.acceptedAt} ${entry.replay ? 1 : 0}`,
      )
  }
  const logged = sumOf([...log.values()].map((cost) => cost ?? 0n))
  let costNanos = 0n
  for (const row of rows) {
    if (row.modelCallId === null) continue
    costNanos += row.costNanos ?? 0n
    check(`cost of ${row.modelCallId}`, row.costNanos, log.get(row.modelCallId))
  }
  check('costs', costNanos, logged)

  let lineCount = 0
  let billed = 0n
  const unit = 10n ** BigInt(9 - digits)
  const billedUsage = new Map<Metric, bigint>()
  for (const { row: invoice, lines } of invoices) {
    const name = invoice.number ?? invoice.id
    check(`${name} lines and total`, invoice.totalMinor, sumOf(lines.map((line) => line.amountMinor)))
    const exactTotal = sumOf(lines.map((line) => line.exactNanos ?? 0n))
    const off = invoice.totalMinor * unit - exactTotal
    if (2n * off > unit || 2n * off <= -unit)
      differences.push(`${name} is not rounded to its nearest: ${off}`)
    billed += invoice.totalMinor
    for (const line of lines) {
      lineCount += 1
      const where = `${name} line ${line.seq}`
      const moved = line.amountMinor * unit - (line.exactNanos ?? 0n)
      if (moved >= unit || moved <= -unit) differences.push(`${where} moved by ${moved}`)
      if (line.kind === 'base') {
        const seats = plan.perSeat === true ? BigInt(tenant.seats) : 1n
        check(`${where} base`, line.exactNanos, nanosOf(plan.basePrice) * seats)
        continue
      }
      const { metric, fromAt, untilAt } = line
      if (line.kind !== 'usage' || metric === null || fromAt === null || untilAt === null) {
        differences.push(`${where} is a ${line.kind} that nobody asked for`)
        continue
      }
      const used = sumOf(
        [...ledger.values()]
          .filter(
            (one) =>
              one.metric === metric && !one.replay && one.acceptedAt >= fromAt && one.acceptedAt < untilAt,
          )
          .map(({ quantity }) => BigInt(quantity)),
      )
      check(`${where} quantity`, line.quantity, used)
      check(`${where} exact`, line.exactNanos, priced(plan, metric, used))
      billedUsage.set(metric, (billedUsage.get(metric) ?? 0n) + used)
      await checkExplained({ explaining, tenantId, id: invoice.id, seq: line.seq, used, log, where, check })
    }
  }
  for (const metric of METRICS) {
    const isCharged =
      plan.included?.[metric] !== undefined || plan.overage?.some((one) => one.metric === metric)
    if (!isCharged) continue
    const all = [...ledger.values()].filter((one) => one.metric === metric && !one.replay)
    check(
      `all ${metric} on invoices`,
      billedUsage.get(metric),
      sumOf(all.map(({ quantity }) => BigInt(quantity))),
    )
  }
  return {
    tenantId,
    currency,
    runs: tenant.runs,
    records: rows.length,
    told: tenant.told,
    invoices: invoices.length,
    lines: lineCount,
    billed: decimal(billed, digits),
    costNanos,
    differences,
  }
}

/** The records that explain a line come to its quantity, and their costs to those of the prompt log. */
async function checkExplained({
  explaining,
  tenantId,
  id,
  seq,
  used,
  log,
  where,
  check,
}: {
  readonly explaining: Explain
  readonly tenantId: TenantId
  readonly id: InvoiceId
  readonly seq: number
  readonly used: bigint
  readonly log: ReadonlyMap<string, bigint | null>
  readonly where: string
  readonly check: (what: string, is: unknown, shouldBe: unknown) => void
}): Promise<void> {
  let [quantity, cost, cursor] = [0n, 0n, undefined as string | undefined]
  const first = await explaining.explain(tenantId, id, seq, { limit: PAGE })
  let page = first
  while (true) {
    for (const record of page.items) {
      quantity += BigInt(record.quantity)
      cost += record.modelCallId === null ? 0n : (log.get(record.modelCallId) ?? 0n)
    }
    cursor = page.nextCursor
    if (cursor === undefined) break
    page = await explaining.explain(tenantId, id, seq, { limit: PAGE, cursor })
  }
  check(`${where} explained`, quantity, used)
  check(`${where} explained total`, first.totals?.quantity, used)
  check(`${where} explained cost`, first.totals?.costNanos, cost)
}

/** From the words of the plan. */
function priced(plan: CreatePlan, metric: Metric, used: bigint): bigint {
  const included = BigInt(plan.included?.[metric] ?? 0)
  const above = used > included ? used - included : 0n
  const overage = plan.overage?.find((one) => one.metric === metric)
  return overage === undefined || above === 0n ? 0n : overagePrice(overage, above)
}

function overagePrice(overage: OverageInput, above: bigint): bigint {
  if (overage.model === 'per_unit') return above * nanosOf(overage.unitPrice)
  if (overage.model === 'package') {
    const size = BigInt(overage.packageSize)
    const begun = above % size === 0n ? above / size : above / size + 1n
    return begun * nanosOf(overage.packagePrice)
  }
  let below = 0n
  let total = 0n
  for (const { upTo, unitPrice, flatPrice } of overage.tiers) {
    const end = upTo === null || above < BigInt(upTo) ? above : BigInt(upTo)
    const flat = nanosOf(flatPrice ?? '0')
    if (overage.model === 'volume') {
      if (end === above) return above * nanosOf(unitPrice) + flat
    } else if (above > below) total += (end - below) * nanosOf(unitPrice) + flat
    below = end
  }
  return total
}

function nanosOf(text: string): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'))
}

function decimal(minor: bigint, digits: number): string {
  const text = minor.toString().padStart(digits + 1, '0')
  return digits === 0 ? text : `${text.slice(0, -digits)}.${text.slice(-digits)}`
}

function sumOf(amounts: readonly bigint[]): bigint {
  return amounts.reduce((sum, amount) => sum + amount, 0n)
}

async function allUsage(db: Database, tenantId: TenantId) {
  type Found = Awaited<ReturnType<typeof page>>
  const page = (after: string) =>
    db.tenant(tenantId).read((reader) => reader.all(usagePage, { after, limit: PAGE }))
  const all: Found[number][] = []
  let found: Found
  do {
    found = await page(all.at(-1)?.id ?? '')
    all.push(...found)
  } while (found.length === PAGE)
  return all
}

/** Every call of the prompt log with its cost. */
async function promptLog(db: Database, tenantId: TenantId): Promise<ReadonlyMap<string, bigint | null>> {
  const log = new Map<string, bigint | null>()
  let after = ''
  while (true) {
    const found = await db.tenant(tenantId).read((reader) => reader.all(callPage, { after, limit: PAGE }))
    for (const { id, costNanos } of found) log.set(id, costNanos)
    after = found.at(-1)?.id ?? ''
    if (found.length < PAGE) return log
  }
}

interface PageBind {
  readonly after: string
  readonly limit: number
}

const usagePage = statement('month.usage', (db, p: Bind<PageBind>) =>
  db
    .selectFrom('usageRecords')
    .select(['id', 'kind', 'quantity', 'replay', 'acceptedAt', 'modelCallId', 'costNanos'])
    .where('tenantId', '=', p.tenantId)
    .where('id', '>', p.after as never)
    .orderBy('id')
    .limit(p.limit),
)

const callPage = statement('month.calls', (db, p: Bind<PageBind>) =>
  db
    .selectFrom('modelCalls')
    .select(['id', 'costNanos'])
    .where('tenantId', '=', p.tenantId)
    .where('id', '>', p.after as never)
    .orderBy('id')
    .limit(p.limit),
)
