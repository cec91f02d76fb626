// One operation of the reference.

import type { Parameter } from '../openapi/parameters.ts'
import type { Operation } from '../openapi.ts'
import { escapeHtml, prose } from './escape-html.ts'
import { schemaHtml } from './schema-html.ts'

export function operationHtml(method: string, path: string, operation: Operation): string {
  const { operationId, summary, description, requestBody, parameters, responses } = operation
  return `<article id="${operationId}">
<h3>${escapeHtml(summary)}</h3>
<p><code><span class="method">${method}</span> ${escapeHtml(path)}</code></p>
${description === undefined ? '' : `<p>${prose(description)}</p>`}
<p class="dim">Needs: ${escapeHtml(operation['x-permission'])}</p>
<details><summary>Details</summary>
${parameters.length > 0 ? parametersHtml(parameters) : ''}
${requestBody ? bodyHtml(requestBody) : ''}
${Object.entries(responses).map(responseHtml).join('\n')}
</details>
</article>`
}

function parametersHtml(parameters: readonly Parameter[]): string {
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escapeHtml(name)}</code></td><td>${place}${required ? ', required' : ''}</td><td>${prose(description ?? '')}${schemaHtml(schema)}</td></tr>`,
  )
  return `<table><thead><tr><th scope="col">Parameter</th><th scope="col">In</th><th scope="col">What it is</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function bodyHtml({ content, required }: NonNullable<Operation['requestBody']>): string {
  const [type, media] = Object.entries(content)[0] ?? []
  if (!media) return ''
  const example =
    media.example === undefined ? '' : `<pre>${escapeHtml(JSON.stringify(media.example, undefined, 2))}</pre>`
  const types = Object.keys(content).join(', ') || type
  return `<h4>Body${required ? '' : ' (may be left out)'}: <code>${escapeHtml(types ?? '')}</code></h4>${schemaHtml(media.schema)}${example}`
}

function responseHtml([status, response]: readonly [string, Operation['responses'][string]]): string {
  const [media] = Object.values(response.content ?? {})
  const isProblem = 'application/problem+json' in (response.content ?? {})
  const schema = media && !isProblem ? schemaHtml(media.schema) : ''
  return `<h4>${status} <span class="dim">${prose(response.description)}</span></h4>${schema}`
}
