// The monthly report as CSV (one table, a line for each sum) and as PDF, with the amounts of the JSON.

import type { CostReport, CostSum } from '../../../contract/cost.ts'
import type { FileContent } from '../../../contract/fields.ts'
import { printCsv } from '../../documents/csv.ts'
import { type Block, type Column, printPdf } from '../../documents/pdf-page.ts'

export async function reportFile(
  report: CostReport,
  tenant: string,
  format: 'csv' | 'pdf',
): Promise<FileContent> {
  const name = `costs-${report.month}.${format}`
  return format === 'csv'
    ? { name, mediaType: 'text/csv; charset=utf-8', bytes: new TextEncoder().encode(reportCsv(report)) }
    : { name, mediaType: 'application/pdf', bytes: await reportPdf(report, tenant) }
}

const COUNTS = [
  'modelCalls',
  'unpricedCalls',
  'usageMissingCalls',
  'inputTokens',
  'cachedInputTokens',
  'cacheWriteTokens',
  'outputTokens',
  'reasoningTokens',
  'otherEntries',
] as const satisfies readonly (keyof CostSum)[]
const CSV_HEAD = [
  'table',
  'key',
  'name',
  'cost_usd',
  'model_calls',
  'unpriced_calls',
  'usage_missing_calls',
  'input_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'other_entries',
  'message',
]

export function reportCsv(report: CostReport): string {
  const line = (table: string, key: string | null, name: string | null, sum: CostSum): string[] => [
    table,
    key ?? '',
    name ?? '',
    sum.costUsd,
    ...COUNTS.map((count) => String(sum[count])),
    '',
  ]
  const lines = tablesOf(report).flatMap(({ id, rows }) =>
    rows.map(({ key, name, sum }) => line(id, key, name, sum)),
  )
  const hints = report.hints.map(({ kind, model, savingUsd, message, modelCalls }) => [
    'hint',
    kind,
    model,
    savingUsd,
    String(modelCalls),
    ...CSV_HEAD.slice(6).map(() => ''),
    message,
  ])
  return printCsv([
    CSV_HEAD,
    line('total', report.month, report.timeZone, report.total),
    ...lines,
    line('replays', null, null, report.replays),
    ...hints,
  ])
}

interface Table {
  readonly id: string
  readonly title: string
  readonly rows: readonly {
    readonly key: string | null
    readonly name: string | null
    readonly sum: CostSum
  }[]
}

function tablesOf(report: CostReport): readonly Table[] {
  const keyed = (rows: CostReport['byAgent']): Table['rows'] =>
    rows.map(({ key, name, ...sum }) => ({ key, name, sum }))
  return [
    {
      id: 'type',
      title: 'By type',
      rows: report.byType.map(({ type, ...sum }) => ({ key: type, name: null, sum })),
    },
    { id: 'agent', title: 'By agent', rows: keyed(report.byAgent) },
    { id: 'workflow', title: 'By workflow', rows: keyed(report.byWorkflow) },
    { id: 'user', title: 'By user', rows: keyed(report.byUser) },
    { id: 'project', title: 'By project', rows: keyed(report.byProject) },
    { id: 'model', title: 'By model', rows: keyed(report.byModel) },
  ]
}

const COLUMNS: readonly Column[] = [
  { title: 'Name', share: 4 },
  { title: 'Model calls', share: 1.3, align: 'right' },
  { title: 'Tokens in', share: 1.5, align: 'right' },
  { title: 'Tokens out', share: 1.5, align: 'right' },
  { title: 'Other', share: 1, align: 'right' },
  { title: 'USD', share: 2.2, align: 'right' },
]

async function reportPdf(report: CostReport, tenant: string): Promise<Uint8Array<ArrayBuffer>> {
  const { total, replays } = report
  const blocks: Block[] = [
    {
      kind: 'facts',
      facts: [
        ['Total', `${total.costUsd} USD`],
        ['Model calls', String(total.modelCalls)],
        ['Calls without a price', String(total.unpricedCalls)],
        ['Calls whose usage is not known', String(total.usageMissingCalls)],
        ['Replays, not in the total', `${replays.costUsd} USD in ${replays.modelCalls} calls`],
      ],
    },
  ]
  for (const { title, rows } of tablesOf(report)) {
    blocks.push({ kind: 'heading', text: title })
    blocks.push({
      kind: 'table',
      columns: COLUMNS,
      rows: rows.map(({ key, name, sum }) => cellsOf(name ?? key ?? '(none)', sum)),
      foot: cellsOf('Total', total),
    })
  }
  if (report.unpriced.length > 0)
    blocks.push({ kind: 'heading', text: 'Without an amount' }, unpricedTable(report))
  if (report.hints.length > 0)
    blocks.push({ kind: 'heading', text: 'Where money could be saved' }, hintTable(report))
  return printPdf({
    title: `Costs of ${report.month}`,
    subtitle: `${tenant}, ${report.from} to ${report.to} (${report.timeZone})`,
    blocks,
    foot: `Costs of ${report.month}, made ${report.createdAt}`,
    at: Date.parse(report.createdAt),
  })
}

function cellsOf(name: string, sum: CostSum): readonly string[] {
  const sent = sum.inputTokens + sum.cachedInputTokens + sum.cacheWriteTokens
  return [name, ...[sum.modelCalls, sent, sum.outputTokens, sum.otherEntries].map(String), sum.costUsd]
}

function unpricedTable({ unpriced }: CostReport): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'Model', share: 4 },
      { title: 'No price', share: 1, align: 'right' },
      { title: 'Usage not known', share: 1.5, align: 'right' },
      { title: 'Tokens', share: 1.5, align: 'right' },
    ],
    rows: unpriced.map(({ model, unpricedCalls, usageMissingCalls, tokens }) => [
      model,
      String(unpricedCalls),
      String(usageMissingCalls),
      String(tokens),
    ]),
  }
}

function hintTable({ hints }: CostReport): Block {
  return {
    kind: 'table',
    columns: [
      { title: 'What', share: 5 },
      { title: 'How it was computed', share: 4 },
      { title: 'USD', share: 1.5, align: 'right' },
    ],
    rows: hints.map(({ message, basis, savingUsd }) => [message, basis, savingUsd]),
  }
}
