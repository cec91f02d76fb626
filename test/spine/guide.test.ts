// The agent `guide` on the offline model, asked what newcomers ask: the real tools over the real documentation and the example shop.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type App, compose } from '../../src/app/compose.ts'
import { ensureFirstAdmin } from '../../src/app/credentials.ts'
import { readSettings } from '../../src/app/settings.ts'
import { startExampleShop } from '../../src/app/starter/example-shop.ts'
import { installStarter, STARTER_AGENT } from '../../src/app/starter/starter.ts'
import type { Principal } from '../../src/contract/principal.ts'

const RUN_MS_MAX = 20_000
const STEPS_MAX = 50
const TOOLS: Readonly<Record<string, string>> = {
  search_documents: 'docs',
  find_books: 'books',
  get_order: 'order',
  get_opening_hours: 'hours',
  place_order: 'place',
  calculator: 'sum',
  current_time: 'time',
}
/** What belongs to HTTP and is nothing that a reader wants to know. */
const TRANSPORT = /\bstatus 200\b|\bbody [a-z]+ /

interface Case {
  readonly group: string
  readonly question: string
  readonly tools: string
  readonly says: readonly RegExp[]
}

function readCases(): readonly Case[] {
  const cases: Case[] = []
  let group = ''
  const text = readFileSync(join(import.meta.dirname, 'guide-questions.txt'), 'utf8')
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    if (line.startsWith('#')) {
      group = line.slice(2)
      continue
    }
    const [question = '', tools = '', says = ''] = line.split(' | ').map((part) => part.trim())
    const patterns = says.split(/ {2,}/).filter((each) => each !== '')
    cases.push({ group, question, tools, says: patterns.map((each) => new RegExp(each, 's')) })
  }
  return cases
}

describe('the guide', () => {
  const opened = new AsyncDisposableStack()
  let app: App
  let principal: Principal

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'af-guide-'))
    opened.defer(() => rmSync(folder, { recursive: true }))
    const shop = opened.use(await startExampleShop(0))
    assert.ok(shop)
    const settings = readSettings({
      AGENT_FACTORY_DATA_DIR: folder,
      DATABASE_URL: 'sqlite::memory:',
      LOG_LEVEL: 'silent',
    })
    app = opened.use(await compose(settings, { outboundAllowHosts: [shop.hostPort] }))
    principal = await app.identity.authenticateKey((await ensureFirstAdmin(app.identity, folder)).apiKey)
    await installStarter(app.catalog, principal, {
      model: 'offline/extractive',
      tools: shop.tools,
      collections: ['docs'],
    })
  })
  after(() => opened.disposeAsync())

  const ask = async (input: string) => {
    const { id } = await app.runtime.start(
      principal,
      { agent: STARTER_AGENT, input },
      { requestId: undefined },
    )
    const run = await app.runtime.wait(principal.tenantId, id, RUN_MS_MAX)
    assert.equal(run.state, 'completed', `${input}: ${JSON.stringify(run.error)}`)
    const steps = await app.runtime.steps(principal.tenantId, id, { limit: STEPS_MAX, after: 0 })
    const tools = steps.filter(({ kind }) => kind === 'tool').map(({ name }) => TOOLS[name] ?? name)
    return { answer: String(run.output), tools: tools.join(' ') || '-' }
  }

  /** What is wrong with the answer, in one text; undefined where nothing is. */
  const complaint = async ({ question, tools: expected, says }: Case): Promise<string | undefined> => {
    const { answer, tools } = await ask(question)
    const isRightTool = expected.startsWith('!') ? !tools.includes(expected.slice(1)) : tools === expected
    const lacking = says.filter((pattern) => !pattern.test(answer)).map(String)
    if (isRightTool && lacking.length === 0 && !TRANSPORT.test(answer)) return undefined
    return `${question}\n  called ${tools}, expected ${expected}; lacks ${lacking.join(', ')}\n  ${answer}`
  }

  const cases = readCases()
  for (const group of new Set(cases.map((each) => each.group))) {
    it(`answers: ${group}`, async () => {
      const complaints: string[] = []
      for (const each of cases.filter((one) => one.group === group)) {
        const text = await complaint(each)
        if (text !== undefined) complaints.push(text)
      }
      assert.deepEqual(complaints, [])
    })
  }

  it('finds the question at the end of a long story', async () => {
    const story = 'I have been a customer for many years and I like your shop. '.repeat(30)
    const order = await ask(`${story}Where is order 1002?`)
    assert.equal(order.tools, 'order')
    assert.match(order.answer, /shipped/)
    const ramble = 'we run many machines and every night something strange goes on there, '.repeat(30)
    const crash = await ask(`${ramble}so what happens to a run when the server crashes?`)
    assert.equal(crash.tools, 'docs')
    assert.match(crash.answer, /\[runs-and-recovery\.md\]/)
  })

  it('answers the same question the same way', async () => {
    const question = 'How do I revoke an API key, and where is order 1001?'
    assert.deepEqual(await ask(question), await ask(question))
  })

  it('answers any text, and places no order that nobody asked for', async () => {
    const texts = [
      ' .',
      '"',
      '``',
      '"unclosed',
      'a'.repeat(20_000),
      '\u0000\u0001',
      '((((',
      '|',
      '- \n- \n',
      'order order order',
    ]
    for (const text of texts) {
      const { answer, tools } = await ask(text)
      assert.ok(answer.length > 0 && !tools.includes('place'), JSON.stringify(text.slice(0, 20)))
    }
  })
})
