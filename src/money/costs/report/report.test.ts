import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../../../test/support/database.ts'
import { openFactory } from '../../../../test/support/factory.ts'
import { reportView } from '../../../api/views/cost-view.ts'
import { formatUsd, parseUsd } from '../../../base/money.ts'
import { createScriptedModel } from '../../../models/scripted/scripted-model.ts'
import { printCsv } from '../../documents/csv.ts'
import { reportCsv, reportFile } from './report-file.ts'

const CONTEXT = { requestId: undefined }

describe('CSV', () => {
  it('lets no cell be a formula, and keeps amounts as they are', () => {
    const evil = ['=1+1', '+1+1', '-1+1', '@SUM(A1)', '\t=1', '\r=1', '\uff1d1', '-12.5', 'a,"b"', '']
    assert.equal(
      printCsv([evil]),
      `"'=1+1","'+1+1","'-1+1","'@SUM(A1)","'\t=1","'\r=1","'\uff1d1",-12.5,"a,""b""",\r\n`,
    )
  })
})

forEachDatabase((_, open) => {
  describe('the report of a month', () => {
    it('has tables that each add up to the total, in JSON, CSV and PDF', async () => {
      const model = createScriptedModel('scripted', () => ({ text: 'Hello.', usage: { inputTokens: 333 } }))
      await using factory = await openFactory({ db: await open(), models: [model] })
      await factory.agent({ name: 'guide' })
      const subject = 'scripted/test'
      const effectiveFrom = Date.parse('2026-01-01T00:00:00.000Z')
      const amounts = { input: '2', output: '10' }
      await factory.money.prices.set(factory.admin, { subject, amounts, effectiveFrom }, CONTEXT)
      const run = await factory.run('guide', 'Hi.')
      const { costs } = factory.money
      const inputs = [
        { type: 'TOOL_USAGE', amountUsd: '0.000000007', description: 'tool/search', runId: run.id },
        { type: 'BANDWIDTH', amountUsd: '1.1', description: '=HYPERLINK("http://evil.example")' },
      ] as const
      await costs.record(factory.admin, inputs, CONTEXT)
      const month = new Date().toISOString().slice(0, 7)
      const report = reportView(await costs.report(factory.tenantId, month, 'UTC'))
      const prompts = await factory.db
        .tenant(factory.tenantId)
        .read((reader) =>
          reader.query((db, tenant) =>
            db.selectFrom('modelCalls').select('costNanos').where('tenantId', '=', tenant),
          ),
        )
      const ofPrompts = prompts.reduce((sum, { costNanos }) => sum + (costNanos ?? 0n), 0n)
      assert.equal(report.total.costUsd, formatUsd(ofPrompts + 1_100_000_007n))
      for (const table of ['byType', 'byAgent', 'byWorkflow', 'byUser', 'byProject', 'byModel'] as const) {
        const sum = report[table].reduce((nanos, { costUsd }) => nanos + (parseUsd(costUsd) ?? 0n), 0n)
        assert.equal(formatUsd(sum), report.total.costUsd, table)
      }
      assert.ok(report.byAgent.some(({ name }) => name === 'guide'))

      const csv = reportCsv(report)
      const lines = csv.trimEnd().split('\r\n')
      assert.equal(lines[1]?.split(',')[3], report.total.costUsd)
      assert.equal(new Set(lines.map((line) => line.split(',').length)).size, 1)

      const pdf = await reportFile(report, 'Ada & Co', 'pdf')
      assert.equal(new TextDecoder('latin1').decode(pdf.bytes.slice(0, 5)), '%PDF-')
      const same = await reportFile(report, 'Ada & Co', 'pdf')
      assert.equal(same.bytes.length, pdf.bytes.length)
    })
  })
})
