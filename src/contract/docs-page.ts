// /docs: the OpenAPI document as one page to read. No script, nothing loaded from elsewhere.

import { ERROR_CODES } from '../base/errors.ts'
import { DOCS_STYLE } from './docs/docs-style.ts'
import { escapeHtml, prose } from './docs/escape-html.ts'
import { operationHtml } from './docs/operation-html.ts'
import { schemaHtml } from './docs/schema-html.ts'
import type { OpenApiDocument, Operation } from './openapi.ts'
import { problemTitle, statusByCode } from './problem.ts'

interface Place {
  readonly method: string
  readonly path: string
  readonly operation: Operation
}

export function docsPage(document: OpenApiDocument): string {
  const places = placesOf(document)
  const tags = [...new Set(places.flatMap(({ operation }) => operation.tags))]
  const sections = tags.map((tag) =>
    section(
      tag,
      places.filter(({ operation }) => operation.tags.includes(tag)),
    ),
  )
  const title = escapeHtml(document.info.title)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} API</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the reference</a>
<header><h1>${title} API</h1><p>${prose(document.info.description)}</p>
<p><a href="/openapi.json">openapi.json</a></p></header>
<nav aria-label="Reference"><ul>
${tags.map((tag) => navigation(tag, places)).join('\n')}
<li><a href="#schemas">Schemas</a></li>
<li><a href="#problems">Problems</a></li>
</ul></nav>
<main id="main">
${sections.join('\n')}
${schemas(document)}
${problems()}
</main>
</body>
</html>
`
}

function placesOf(document: OpenApiDocument): Place[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
}

function navigation(tag: string, places: readonly Place[]): string {
  const links = places
    .filter(({ operation }) => operation.tags.includes(tag))
    .map(
      ({ operation }) => `<li><a href="#${operation.operationId}">${escapeHtml(operation.summary)}</a></li>`,
    )
  return `<li><details><summary>${escapeHtml(tag)}</summary><ul>${links.join('')}</ul></details></li>`
}

function section(tag: string, places: readonly Place[]): string {
  const operations = places.map(({ method, path, operation }) => operationHtml(method, path, operation))
  return `<section aria-labelledby="tag-${escapeHtml(tag)}"><h2 id="tag-${escapeHtml(tag)}">${escapeHtml(tag)}</h2>${operations.join('\n')}</section>`
}

function schemas(document: OpenApiDocument): string {
  const named = Object.entries(document.components.schemas)
  const shown = named.map(
    ([name, schema]) =>
      `<article id="schema-${name}"><h3>${escapeHtml(name)}</h3>${schemaHtml(schema)}</article>`,
  )
  return `<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>${shown.join('\n')}</section>`
}

/** Each code with its status; a problem's `type` leads here. */
function problems(): string {
  const rows = ERROR_CODES.map(
    (code) =>
      `<tr id="problem-${code}"><td><code>${code}</code></td><td>${statusByCode[code]}</td><td>${escapeHtml(problemTitle(code))}</td></tr>`,
  )
  return `<section aria-labelledby="problems"><h2 id="problems">Problems</h2>
<table><thead><tr><th scope="col">Code</th><th scope="col">Status</th><th scope="col">Title</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`
}
