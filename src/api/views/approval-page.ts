// The pages of a link: what is asked with a form to answer, what was answered, and why there is nothing. No script,
// nothing loaded from elsewhere, everything that came from outside escaped.

import { createHash } from 'node:crypto'
import { formatTime } from '../../base/time.ts'
import { escapeHtml } from '../../contract/docs/escape-html.ts'
import type { LinkedQuestion } from '../../runtime/approvals/approvals.ts'

const STYLE = `
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#f4f6f8;--line:#6b7682;--link:#0b57d0}
@media (prefers-color-scheme:dark){:root{--fg:#e6e9ed;--bg:#15181c;--soft:#1e2329;--line:#8b96a1;--link:#8ab4f8}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:44rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;color:var(--fg);background:var(--bg)}
pre{padding:.75rem;overflow:auto;background:var(--soft);font:.875rem/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
dt{font-weight:700}dd{margin:0 0 .5rem;overflow-wrap:anywhere}
label{display:block;font-weight:700}
textarea{width:100%;min-height:4rem;font:inherit;color:inherit;background:var(--bg);border:1px solid var(--line);padding:.5rem}
button{font:inherit;font-weight:700;min-height:2.75rem;padding:.5rem 1.25rem;margin:.75rem .75rem 0 0;color:var(--fg);background:var(--soft);border:2px solid var(--line);border-radius:.25rem;cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
`
const STYLE_HASH = createHash('sha256').update(STYLE, 'utf8').digest('base64')
const REASON_CHARS_MAX = 1_000

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex, nofollow',
}

/** What is not seen, or moves what stands around it: U+202E would turn what a person reads. Variants of signs may stay. */
const UNSEEN = /[^\P{C}\n]|[\p{Zl}\p{Zp}]|(?![\ufe0e\ufe0f])\p{Default_Ignorable_Code_Point}/gu

/** The text as it is, to the letter: what would not be seen is written as JSON writes it. */
function shown(text: string): string {
  return escapeHtml(text.replace(UNSEEN, escapeOf))
}

function escapeOf(sign: string): string {
  return Array.from({ length: sign.length }, (_, i) => {
    return `\\u${sign.charCodeAt(i).toString(16).padStart(4, '0')}`
  }).join('')
}

/** Looking changes nothing: whatever follows links in mails only looks. */
export function questionPage({ approval, run, until }: LinkedQuestion): Response {
  const what = approval.kind === 'tool' ? 'The tool' : 'The step'
  const asked = JSON.stringify(approval.arguments, undefined, 2)
  const facts: readonly (readonly [string, string])[] = [
    [what, approval.subject],
    ['Asked by the run', `${run} (${approval.runId}, step ${approval.step})`],
    ['Asked at', formatTime(approval.createdAt)],
    ['Answer by', formatTime(until)],
  ]
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${shown(value)}</dd>`)
  const verb = approval.kind === 'tool' ? 'make this call' : 'go on'
  return page(
    'Your approval is asked for',
    `<p>May it ${verb}? Nothing happens until you answer.</p>
<dl>${rows.join('\n')}</dl>
<h2 id="arguments">With exactly these arguments</h2>
<pre tabindex="0" aria-labelledby="arguments">${shown(asked)}</pre>
<form method="post" autocomplete="off">
<label for="reason">Reason (may be left empty)</label>
<textarea id="reason" name="reason" maxlength="${REASON_CHARS_MAX}"></textarea>
<button type="submit" name="outcome" value="approve">Approve</button>
<button type="submit" name="outcome" value="decline">Decline</button>
</form>`,
    200,
  )
}

export function answeredPage(outcome: 'approve' | 'decline'): Response {
  const said = outcome === 'approve' ? 'You approved it.' : 'You declined it.'
  return page('Your answer was recorded', `<p role="status">${said} You may close this page.</p>`, 200)
}

export function failurePage(message: string, status: number): Response {
  return page('There is nothing to answer here', `<p role="alert">${escapeHtml(message)}</p>`, status)
}

function page(title: string, body: string, status: number): Response {
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`
  return new Response(html, { status, headers: HEADERS })
}
