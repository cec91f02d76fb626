// The context of a tool call in tests.

import { newId } from '../../base/ids.ts'
import type { ToolContext } from './builtin-tool.ts'

export function testContext(overrides: Partial<ToolContext> = {}): ToolContext {
  return {
    tenantId: newId('tenant'),
    runId: newId('run'),
    idempotencyKey: 'key-1',
    signal: new AbortController().signal,
    nowMs: Date.UTC(2026, 6, 1, 12, 30, 5),
    ...overrides,
  }
}
