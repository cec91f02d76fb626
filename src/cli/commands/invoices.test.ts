import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { addInvoice } from '../../../test/support/billing.ts'
import { compose } from '../../app/compose.ts'
import { ensureFirstAdmin } from '../../app/credentials.ts'
import { serve } from '../../app/serve.ts'
import { readSettings } from '../../app/settings.ts'
import { createTestWorld, type Ran, type TestWorld } from '../test-world.ts'

describe('invoices on the command line', () => {
  const opened = new AsyncDisposableStack()
  let world: TestWorld
  let dataDir: string
  let invoice: string
  let tenantId: string

  before(async () => {
    dataDir = opened.adopt(mkdtempSync(join(tmpdir(), 'af-cli-invoices-')), (path) =>
      rmSync(path, { recursive: true }),
    )
    const env = { AGENT_FACTORY_DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' }
    const settings = readSettings(env, dataDir)
    const app = opened.use(await compose(settings, {}))
    const { apiKey } = await ensureFirstAdmin(app.identity, dataDir)
    const principal = await app.identity.authenticateKey(apiKey)
    tenantId = principal.tenantId
    invoice = await addInvoice(app.db, principal.tenantId)
    const server = await serve(app, settings.server)
    opened.defer(() => server.stop())
    world = opened.use(createTestWorld({ AGENT_FACTORY_URL: server.url, AGENT_FACTORY_API_KEY: apiKey }))
  })
  after(() => opened.disposeAsync())

  const done = async (...args: readonly string[]): Promise<Ran> => {
    const ran = await world.run(['billing', ...args])
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.err}`)
    return ran
  }

  it('are listed, shown, explained, written to files, and changed', async () => {
    assert.match((await done('invoices')).out, new RegExp(`${invoice}.*draft`))
    assert.match(
      (await done('credit', '1.50', '--reason', 'Sorry', '--expires', '90d')).out,
      /left +1\.50 USD/,
    )
    assert.match((await done('adjust', '4', '--reason', 'Setup')).out, /amount +4\.00 USD/)
    assert.match((await done('adjust', '0.50', '--less', '--reason', 'Rebate')).out, /amount +-0\.50 USD/)
    assert.match((await done('items', '--open')).out, /adjustment[\s\S]*credit/)
    const finalised = await done('finalise', invoice)
    assert.match(finalised.out, /number +INV-000001/)
    assert.match(finalised.out, /credits +1\.50 USD\ntotal +2\.00 USD/)
    assert.match((await done('explain', invoice, '1')).out, /0 used/)
    assert.match((await done('summary')).out, /outstanding +2\.00 USD/)
    assert.match((await done('tenant', tenantId)).out, /outstanding +2\.00 USD/)
    const [pdf, csv] = [join(dataDir, 'invoice.pdf'), join(dataDir, 'invoice.csv')]
    await done('invoice', invoice, '--pdf', pdf, '--csv', csv)
    assert.ok(readFileSync(pdf, 'latin1').startsWith('%PDF-'))
    assert.match(readFileSync(csv, 'utf8'), /credit,,Sorry/)
    assert.match((await done('pay', invoice, '--note', 'cash')).out, /note +cash/)
  })

  it('are refused with a line that says why', async () => {
    const voided = await world.run(['billing', 'void', invoice])
    assert.notEqual(voided.code, 0)
    assert.match(voided.err, /is paid; only one that is draft or open or uncollectible can be voided/)
    for (const wrong of [
      ['credit', '-1', '--reason', 'x'],
      ['credit', 'ten', '--reason', 'x'],
      ['credit', '1'],
      ['explain', invoice, '0'],
      ['invoices', '--state', 'late'],
    ])
      assert.equal((await world.run(['billing', ...wrong])).code, 2, wrong.join(' '))
  })
})
