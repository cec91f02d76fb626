// Reads of runs, steps, the prompt log, sessions and jobs: always from what is stored, always within the tenant.

import { AppError } from '../base/errors.ts'
import type { AgentId, JobId, ModelCallId, RunId, SessionId, TenantId, WorkflowId } from '../base/ids.ts'
import { isId } from '../base/ids.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { AssistantPart, Message } from '../contract/message.ts'
import { readRunEvents } from '../events/read.ts'
import { jobById } from '../queue/job-store.ts'
import type { Database, TenantReader } from '../storage/database.ts'
import { readMessages } from './agent/message-log.ts'
import { blockedBy } from './blocked-by.ts'
import { readText } from './journal/message-store.ts'
import { type ModelCallRow, modelCallById, modelCallsOfRun } from './journal/model-call-store.ts'
import { runById } from './journal/run-store.ts'
import { stepBySeq, stepsAfter } from './journal/step-store.ts'
import type { ModelCallDetail, Runtime } from './runtime.ts'
import { sessionById, turnsAfter } from './session-store.ts'
import { jobView, modelCallView, runView, sessionView, stepView, turnView } from './views.ts'

type Queries = Pick<
  Runtime,
  'get' | 'list' | 'steps' | 'modelCalls' | 'modelCall' | 'events' | 'session' | 'sessionTurns' | 'job'
>

export function createQueries(db: Database): Queries {
  const read = <T>(tenantId: TenantId, work: (reader: TenantReader) => Promise<T>): Promise<T> =>
    db.tenant(tenantId).read(work)
  return {
    get: (tenantId, id) =>
      read(tenantId, async (reader) => {
        const row = await foundRun(reader, id)
        return runView(row, await blockedBy(reader, row))
      }),

    list: (tenantId, filter) =>
      read(tenantId, async (reader) => {
        const { limit, cursor, state, agent, workflow, sessionId, replays } = filter
        const rows = await reader.query((builder, tenant) => {
          let query = builder.selectFrom('runs').selectAll().where('tenantId', '=', tenant)
          if (cursor !== undefined) query = query.where('id', '<', cursor as RunId)
          if (state !== undefined) query = query.where('state', '=', state)
          if (sessionId !== undefined) query = query.where('sessionId', '=', sessionId)
          if (replays !== undefined) query = query.where('replayOf', replays ? 'is not' : 'is', null)
          if (agent !== undefined) {
            query = isId('agent', agent)
              ? query.where('definitionId', '=', agent as AgentId)
              : query.where('definitionName', '=', agent)
          }
          if (workflow !== undefined) {
            query = query.where('kind', '=', 'workflow')
            query = isId('workflow', workflow)
              ? query.where('definitionId', '=', workflow as WorkflowId)
              : query.where('definitionName', '=', workflow)
          }
          return query.orderBy('id', 'desc').limit(limit + 1)
        })
        const runs = await Promise.all(rows.map(async (row) => runView(row, await blockedBy(reader, row))))
        return page(runs, limit, (run) => run.id)
      }),

    steps: (tenantId, runId, { limit, after }) =>
      read(tenantId, async (reader) => {
        await foundRun(reader, runId)
        const rows = await reader.all(stepsAfter, { runId, after, limit })
        return Promise.all(rows.map((row) => stepView(reader, row)))
      }),

    modelCalls: (tenantId, runId, { limit, cursor }) =>
      read(tenantId, async (reader) => {
        await foundRun(reader, runId)
        const rows = await reader.all(modelCallsOfRun, {
          runId,
          afterStep: Number(cursor ?? 0),
          limit: limit + 1,
        })
        return page(rows.map(modelCallView), limit, (call) => String(call.step))
      }),

    modelCall: (tenantId, id) => read(tenantId, (reader) => detail(reader, id)),

    async events(tenantId, runId, { limit, after }) {
      await read(tenantId, (reader) => foundRun(reader, runId))
      return readRunEvents(db, tenantId, runId, { limit, after })
    },

    session: (tenantId, id) => read(tenantId, async (reader) => sessionView(await foundSession(reader, id))),

    sessionTurns: (tenantId, id, { limit, after }) =>
      read(tenantId, async (reader) => {
        await foundSession(reader, id)
        return (await reader.all(turnsAfter, { sessionId: id, after, limit })).map(turnView)
      }),

    job: (tenantId, id) =>
      read(tenantId, async (reader) => {
        const row = await reader.first(jobById, { id: id as JobId })
        if (row === undefined) throw new AppError('job.not-found', `There is no job "${id}".`)
        return jobView(row)
      }),
  }
}

async function foundRun(reader: TenantReader, id: RunId) {
  const row = await reader.first(runById, { id })
  if (row === undefined) throw new AppError('run.not-found', `There is no run "${id}".`)
  return row
}

async function foundSession(reader: TenantReader, id: SessionId) {
  const row = await reader.first(sessionById, { id })
  if (row === undefined) throw new AppError('session.not-found', `There is no session "${id}".`)
  return row
}

function page<T>(items: readonly T[], limit: number, position: (item: T) => string) {
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown, nextCursor: items.length > limit && last !== undefined ? position(last) : undefined }
}

interface Head {
  readonly instructions: string
  readonly tools: Json
  readonly settings: JsonObject
  readonly outputSchema: Json
  /** Where the prompt is not made of the run's messages. */
  readonly messages?: readonly Message[] | null
}

async function detail(reader: TenantReader, id: ModelCallId): Promise<ModelCallDetail> {
  const row = await reader.first(modelCallById, { id })
  if (row === undefined) throw new AppError('model-call.not-found', `There is no model call "${id}".`)
  const call = modelCallView(row)
  if (row.capture === 'metadata') return { ...call, request: null, response: null }
  const headText = await readText(reader, { inline: null, hash: row.headHash })
  if (headText === null) return { ...call, request: null, response: null }
  const { messages: own, ...head } = JSON.parse(headText) as Head
  const said = row.messagesUntil === 0 ? (own ?? undefined) : await messagesOf(reader, row, row.messagesUntil)
  return {
    ...call,
    request: said === undefined ? null : { ...head, messages: said },
    response: await responseOf(reader, row),
  }
}

async function messagesOf(
  reader: TenantReader,
  row: ModelCallRow,
  until: number,
): Promise<readonly Message[] | undefined> {
  return readMessages(reader, row.runId, until, (seq) => reader.first(stepBySeq, { runId: row.runId, seq }))
}

/** The answer is the message that follows the prompt, unless the row holds what came. */
async function responseOf(reader: TenantReader, row: ModelCallRow): Promise<readonly AssistantPart[] | null> {
  if (row.response !== null) return JSON.parse(row.response) as readonly AssistantPart[]
  if (row.status !== 'answered' || row.messagesUntil === 0) return null
  const next = (await messagesOf(reader, row, row.messagesUntil + 1))?.at(-1)
  return next?.role === 'assistant' ? next.parts : null
}
