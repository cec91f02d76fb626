import { docsPage } from '../../contract/docs-page.ts'
import { openApiDocument } from '../../contract/openapi.ts'
import type { ApiDeps } from '../api-deps.ts'
import { type Handlers, ok } from '../call.ts'

type PlatformRoutes = typeof import('../../contract/routes/platform.ts').platformRoutes

/** The page loads nothing and runs nothing: its style is inside. */
const DOCS_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

export function platformHandlers(deps: ApiDeps): Pick<Handlers, keyof PlatformRoutes> {
  const document = onceMade(() => JSON.stringify(openApiDocument()))
  const page = onceMade(() => docsPage(openApiDocument()))
  return {
    livez: async () => ok({ status: 'ok' as const }),
    async readyz() {
      const { ready, checks } = await deps.readiness()
      const isReady = ready && !deps.stopping.aborted
      const shown = checks.map(({ name, ok: passed }) => ({ name, ok: passed }))
      return { status: isReady ? 200 : 503, value: { ready: isReady, checks: shown } }
    },
    metrics: async () => text(await deps.metrics(), 'text/plain; version=0.0.4; charset=utf-8'),
    openapi: async () => text(document(), 'application/json', { 'cache-control': 'no-cache' }),
    docs: async () => text(page(), 'text/html; charset=utf-8', { 'content-security-policy': DOCS_POLICY }),
  }
}

function text(body: string, type: string, headers: Readonly<Record<string, string>> = {}): Response {
  const fixed = {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  }
  return new Response(body, { headers: { 'cache-control': 'no-store', ...fixed, ...headers } })
}

function onceMade(make: () => string): () => string {
  let made: string | undefined
  return () => {
    made ??= make()
    return made
  }
}
