// The prompt log's rows: one per attempt at a model.

import type { ModelCallId, RunId } from '../../base/ids.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import type { Bind } from '../../storage/statement.ts'
import { statement } from '../../storage/statement.ts'

export type ModelCallRow = RowOf<'modelCalls'>
export type NewModelCall = Omit<NewRowOf<'modelCalls'>, 'tenantId'>

export const insertModelCall = statement('model-calls.insert', (db, p: Bind<NewModelCall>) =>
  db.insertInto('modelCalls').values({
    tenantId: p.tenantId,
    id: p.id,
    runId: p.runId,
    step: p.step,
    attempt: p.attempt,
    model: p.model,
    responseModel: p.responseModel,
    responseId: p.responseId,
    status: p.status,
    finishReason: p.finishReason,
    failureKind: p.failureKind,
    failureMessage: p.failureMessage,
    httpStatus: p.httpStatus,
    headHash: p.headHash,
    messagesUntil: p.messagesUntil,
    response: p.response,
    usageState: p.usageState,
    inputTokens: p.inputTokens,
    cachedInputTokens: p.cachedInputTokens,
    cacheWriteTokens: p.cacheWriteTokens,
    outputTokens: p.outputTokens,
    reasoningTokens: p.reasoningTokens,
    costState: p.costState,
    costNanos: p.costNanos,
    startedAt: p.startedAt,
    firstTokenMs: p.firstTokenMs,
    totalMs: p.totalMs,
    capture: p.capture,
  }),
)

export const modelCallById = statement('model-calls.get', (db, p: Bind<{ id: ModelCallId }>) =>
  db.selectFrom('modelCalls').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

export const modelCallsOfRun = statement(
  'model-calls.of-run',
  (db, p: Bind<{ runId: RunId; afterStep: number; limit: number }>) =>
    db
      .selectFrom('modelCalls')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('step', '>', p.afterStep)
      .orderBy('step')
      .limit(p.limit),
)
