// Approvals through HTTP: who sees and answers what, and the page of a link.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { forEachDatabase } from '../../test/support/database.ts'
import type { Json } from '../base/json.ts'
import { listAudit } from '../events/audit-log.ts'
import type { Database } from '../storage/database.ts'
import { type ApiBench, at, isProblem, openApiBench } from './api-bench.test.ts'

const SCRIPT = '<script>alert(1)</script>'
const HTML = { accept: 'text/html,application/xhtml+xml' }

/** A tenant whose run asks whether it may pay. */
async function asking(
  db: Database,
  approval: Json = {},
): Promise<ApiBench & { readonly id: string; readonly run: string }> {
  const bench = await openApiBench({
    db,
    script: (request) =>
      request.messages.length === 1
        ? { toolCalls: [{ tool: 'pay', arguments: { to: SCRIPT } }] }
        : { text: 'Finished.' },
  })
  const make = async (path: string, body: Json): Promise<Json> => {
    const made = await bench.send('POST', `/api/v1${path}`, { body })
    assert.ok(made.status < 300, made.text)
    return made.json
  }
  await make('/tools?publish=true', {
    name: 'pay',
    description: 'Pays.',
    effect: 'once',
    approval: 'always',
    implementation: { type: 'http', method: 'POST', base_url: 'https://example.com', path: '/' },
    input_schema: { type: 'object', properties: { to: { type: 'string' } } },
  })
  await make('/agents?publish=true', {
    name: 'payer',
    instructions: 'Pay.',
    model: 'scripted/test',
    tools: ['pay'],
    approval,
  })
  const run = String(at(await make('/agents/payer/runs?wait=20', { input: 'Pay.' }), 'id'))
  const listed = await bench.send('GET', `/api/v1/approvals?state=pending&run=${run}`)
  const id = String(at(listed.json, 'items', 0, 'id'))
  assert.match(id, /^apr_/, listed.text)
  return Object.assign(bench, { id, run })
}

forEachDatabase((_, open) => {
  describe('approvals', () => {
    it('show their arguments to those who may read prompts or answer, and only to them', async () => {
      await using bench = await asking(await open())
      const { tenantId } = bench.ada
      for (const [permissions, shown] of [
        [['READ_RUNS'], undefined],
        [['READ_RUNS', 'READ_PROMPTS'], { to: SCRIPT }],
        [['READ_RUNS', 'RESOLVE_RUNS'], { to: SCRIPT }],
      ] as const) {
        const { key } = await bench.account({ tenantId, permissions })
        const got = await bench.send('GET', `/api/v1/approvals/${bench.id}`, { key })
        assert.deepEqual(at(got.json, 'arguments'), shown)
        assert.deepEqual(at(got.json, 'votes'), [])
        const listed = await bench.send('GET', '/api/v1/approvals', { key })
        assert.deepEqual(at(listed.json, 'items', 0, 'arguments'), shown)
      }
    })

    it('are answered once, again with the same Idempotency-Key the same', async () => {
      await using bench = await asking(await open())
      const path = `/api/v1/approvals/${bench.id}/decide`
      const hash = String(
        at((await bench.send('GET', `/api/v1/approvals/${bench.id}`)).json, 'arguments_hash'),
      )
      const wrong = { outcome: 'approve', arguments_hash: '0'.repeat(64) }
      isProblem(await bench.send('POST', path, { body: wrong }), 'approval.arguments-changed', 'decide')
      const body = { outcome: 'decline', reason: 'no', arguments_hash: hash }
      const send = (key: string) => bench.send('POST', path, { body, headers: { 'idempotency-key': key } })
      const first = await send('one')
      assert.deepEqual([first.status, at(first.json, 'state')], [200, 'declined'], first.text)
      const again = await send('one')
      assert.equal(again.headers.get('idempotency-replayed'), 'true')
      assert.equal(at(again.json, 'state'), 'declined')
      isProblem(await send('two'), 'approval.decided', 'decide')
      const ended = await bench.send('GET', `/api/v1/runs/${bench.run}?wait=10`)
      assert.equal(at(ended.json, 'state'), 'completed', ended.text)
    })

    it('put on record who was refused an answer', async () => {
      await using bench = await asking(await open(), { exclude_requester: true })
      const { tenantId } = bench.ada
      const denied = async () => {
        const { items } = await listAudit(bench.db, tenantId, { limit: 100 })
        return items.filter(({ type }) => type === 'access.denied').map(({ data }) => at(data, 'permission'))
      }
      const path = `/api/v1/approvals/${bench.id}`
      const body = { outcome: 'approve' }
      isProblem(await bench.send('POST', `${path}/decide`, { body }), 'approval.not-yours', 'own')
      assert.deepEqual(await denied(), ['RESOLVE_RUNS'])
      isProblem(await bench.send('POST', `${path}/links`), 'approval.not-yours', 'link')
      const { key } = await bench.account({ role: 'CREATOR', tenantId })
      assert.equal((await bench.send('POST', `${path}/decide`, { key, body })).status, 200)
      assert.deepEqual(await denied(), ['RESOLVE_RUNS'])
    })

    it('take an answer before they are there', async () => {
      await using bench = await asking(await open())
      const path = `/api/v1/runs/${bench.run}/approvals`
      const kept = await bench.send('POST', path, {
        body: { subject: 'pay', arguments: { to: 'you' }, outcome: 'approve' },
      })
      assert.deepEqual([kept.status, at(kept.json, 'approval_id')], [200, null], kept.text)
      const bare = await bench.send('POST', path, { body: { subject: 'pay', outcome: 'approve' } })
      isProblem(bare, 'request.invalid', 'early')
      await bench.send('POST', `/api/v1/runs/${bench.run}/cancel`)
      const late = await bench.send('POST', path, {
        body: { subject: 'pay', arguments: 1, outcome: 'approve' },
      })
      isProblem(late, 'run.finished', 'early')
    })
  })

  describe('the page of a link', () => {
    const linkOf = async (bench: ApiBench & { readonly id: string }, body: Json = {}): Promise<string> => {
      const made = await bench.send('POST', `/api/v1/approvals/${bench.id}/links`, { body })
      assert.equal(made.status, 201, made.text)
      return String(at(made.json, 'url'))
    }

    it('shows what is asked, escaped and on its own, and changes nothing', async () => {
      await using bench = await asking(await open())
      const url = await linkOf(bench)
      for (const method of ['GET', 'HEAD', 'GET']) {
        const seen = await bench.send(method, url, { key: null, headers: HTML })
        assert.equal(seen.status, 200)
        const { headers } = seen
        assert.equal(headers.get('cache-control'), 'no-store')
        assert.equal(headers.get('referrer-policy'), 'no-referrer')
        assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'sha256-/)
        assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
        if (method === 'HEAD') continue
        assert.match(headers.get('content-type') ?? '', /^text\/html/)
        assert.ok(!seen.text.includes('<script'), seen.text)
        assert.ok(seen.text.includes('&lt;script&gt;alert(1)&lt;/script&gt;'))
        assert.match(seen.text, /<label for="reason">/)
        assert.ok(!seen.text.includes(url.split('/').at(-1) ?? ''))
      }
      const found = await bench.send('GET', `/api/v1/approvals/${bench.id}`)
      assert.equal(at(found.json, 'state'), 'pending')
    })

    it('answers once by a form; used, wrong and late links look alike', async () => {
      await using bench = await asking(await open())
      const url = await linkOf(bench, { expires_in: '2h' })
      const form = { ...HTML, 'content-type': 'application/x-www-form-urlencoded' }
      const post = (path: string, text: string, headers: Readonly<Record<string, string>> = form) =>
        bench.send('POST', path, { key: null, text, headers })
      isProblem(await post(url, 'outcome=perhaps'), 'request.invalid', 'form')
      isProblem(await post(url, 'outcome=approve&outcome=decline'), 'request.malformed', 'form')
      const answered = await post(url, 'reason=&outcome=decline')
      assert.equal(answered.status, 200, answered.text)
      assert.match(answered.text, /You declined it/)
      const decided = await bench.send('GET', `/api/v1/approvals/${bench.id}`)
      assert.deepEqual([at(decided.json, 'state'), at(decided.json, 'reason')], ['declined', null])
      const wrong = `/approvals/link/af_link_${'x'.repeat(43)}`
      const pages = [
        await post(url, 'outcome=approve'),
        await post(wrong, 'outcome=approve'),
        await bench.send('GET', url, { key: null, headers: HTML }),
        await bench.send('GET', wrong, { key: null, headers: HTML }),
      ]
      for (const page of pages) assert.deepEqual([page.status, page.text], [404, pages[0]?.text])
      for (const path of [url, wrong])
        isProblem(await bench.send('GET', path, { key: null }), 'approval.link-invalid', path)
      const json = { 'content-type': 'application/json' }
      isProblem(await post(url, '{"outcome":"approve"}', json), 'approval.link-invalid', 'json')
      const token = url.split('/').at(-1) ?? ''
      assert.ok(!JSON.stringify(bench.logged).includes(token))
      const ended = await bench.send('GET', `/api/v1/runs/${bench.run}?wait=10`)
      assert.equal(at(ended.json, 'state'), 'completed')
    })

    it('is refused to be good for longer than a week', async () => {
      await using bench = await asking(await open())
      const path = `/api/v1/approvals/${bench.id}/links`
      isProblem(await bench.send('POST', path, { body: { expires_in: '8d' } }), 'request.invalid', 'link')
    })
  })
})
