import type { ModelCallId, RunId, TenantId, UsageId } from '../../base/ids.ts'
import { integer, json, moneyOrNull, oneOf, table, text, textOrNull } from './table.ts'

export const usageRecords = table('usage_records', {
  tenant: true,
  columns: {
    tenantId: text<TenantId>(),
    /** Derived from the fact (`use_` and the model call's body), so that one attempt has one record for ever. */
    id: text<UsageId>(),
    kind: oneOf('model_call'),
    runId: text<RunId>(),
    modelCallId: text<ModelCallId>(),
    agentId: text(),
    model: text(),
    /** `known`, `missing` (may have cost money, nobody knows how much) or `none` (certainly not billed). */
    usageState: oneOf('known', 'missing', 'none'),
    inputTokens: integer(),
    cachedInputTokens: integer(),
    cacheWriteTokens: integer(),
    outputTokens: integer(),
    reasoningTokens: integer(),
    /** What the provider sent, as it sent it, for re-rating. */
    rawUsage: json(),
    /** `priced`; `unpriced` (no price for this model); `usage_missing`. Only `priced` has an amount. */
    costState: oneOf('priced', 'unpriced', 'usage_missing'),
    costNanos: moneyOrNull(),
    priceId: textOrNull(),
    /** 1: of a replay, which is nobody's usage of a plan. */
    replay: integer({ defaultTo: 0 }),
    occurredAt: integer(),
  },
  primaryKey: ['tenantId', 'id'],
  indexes: [{ name: 'usage_records_by_run', columns: ['tenantId', 'runId'] }],
})
