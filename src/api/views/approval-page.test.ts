import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LinkedQuestion } from '../../runtime/approvals/approvals.ts'
import { questionPage } from './approval-page.ts'

function asked(subject: string, args: { readonly [name: string]: string }): Promise<string> {
  const approval = { kind: 'node', subject, runId: 'run_1', step: 1, createdAt: 0, arguments: args }
  const question = { approval, run: 'payer', until: 0 } as unknown as LinkedQuestion
  return questionPage(question).text()
}

describe('the page of a link', () => {
  it('shows what would turn, hide or break the text, so that what is read is what is sent', async () => {
    const text = await asked('pay\u202e001', {
      to: 'alice\u202eecila\u2066',
      hidden: 'a\u200b\u00ad\u3164\u{e0041}b\u2028c\u0085',
      plain: 'naïve 日本語 🙂 ❤️ "q" <b>',
    })
    assert.ok(!/[\u202e\u2066\u200b\u00ad\u3164\u{e0041}\u2028\u0085]/u.test(text))
    assert.ok(text.includes('alice\\u202eecila\\u2066'), text)
    assert.ok(text.includes('a\\u200b\\u00ad\\u3164\\udb40\\udc41b\\u2028c\\u0085'), text)
    assert.ok(text.includes('<dd>pay\\u202e001</dd>'), text)
    assert.ok(text.includes('naïve 日本語 🙂 ❤️ \\&quot;q\\&quot; &lt;b&gt;'), text)
  })
})
