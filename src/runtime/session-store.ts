// Sessions in the database: several turns with one agent, one run at a time.

import type { AgentId, RunId, SessionId } from '../base/ids.ts'
import type { EpochMs } from '../base/time.ts'
import type { RowOf } from '../storage/schema/tables.ts'
import type { Bind } from '../storage/statement.ts'
import { statement } from '../storage/statement.ts'

export type SessionRow = RowOf<'sessions'>
export type TurnRow = RowOf<'sessionTurns'>

export const insertSession = statement(
  'sessions.insert',
  (db, p: Bind<{ id: SessionId; agentId: AgentId; createdBy: string; at: EpochMs }>) =>
    db.insertInto('sessions').values({
      tenantId: p.tenantId,
      id: p.id,
      agentId: p.agentId,
      activeRunId: null,
      turnCount: 0,
      summary: null,
      summaryUntil: 0,
      createdBy: p.createdBy,
      createdAt: p.at,
      updatedAt: p.at,
      contentRemovedAt: null,
    }),
)

export const sessionById = statement('sessions.get', (db, p: Bind<{ id: SessionId }>) =>
  db.selectFrom('sessions').selectAll().where('tenantId', '=', p.tenantId).where('id', '=', p.id),
)

/** A run takes the word; 0 where another one has it, or the session belongs to another agent. */
export const takeSession = statement(
  'sessions.take',
  (db, p: Bind<{ id: SessionId; agentId: AgentId; runId: RunId; at: EpochMs }>) =>
    db
      .updateTable('sessions')
      .set({ activeRunId: p.runId, updatedAt: p.at, contentRemovedAt: null })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('agentId', '=', p.agentId)
      .where('activeRunId', 'is', null),
)

export const leaveSession = statement(
  'sessions.leave',
  (db, p: Bind<{ id: SessionId; runId: RunId; turns: number; at: EpochMs }>) =>
    db
      .updateTable('sessions')
      .set((eb) => ({ activeRunId: null, turnCount: eb('turnCount', '+', p.turns), updatedAt: p.at }))
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('activeRunId', '=', p.runId)
      .returning('turnCount'),
)

export const insertTurn = statement(
  'sessions.add-turn',
  (
    db,
    p: Bind<{
      sessionId: SessionId
      seq: number
      runId: RunId
      input: string
      output: string
      createdAt: EpochMs
    }>,
  ) =>
    db.insertInto('sessionTurns').values({
      tenantId: p.tenantId,
      sessionId: p.sessionId,
      seq: p.seq,
      runId: p.runId,
      input: p.input,
      output: p.output,
      createdAt: p.createdAt,
    }),
)

export const turnsAfter = statement(
  'sessions.turns-after',
  (db, p: Bind<{ sessionId: SessionId; after: number; limit: number }>) =>
    db
      .selectFrom('sessionTurns')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('sessionId', '=', p.sessionId)
      .where('seq', '>', p.after)
      .orderBy('seq')
      .limit(p.limit),
)

export const setSummary = statement(
  'sessions.set-summary',
  (db, p: Bind<{ id: SessionId; runId: RunId; summary: string; summaryUntil: number; at: EpochMs }>) =>
    db
      .updateTable('sessions')
      .set({ summary: p.summary, summaryUntil: p.summaryUntil, updatedAt: p.at })
      .where('tenantId', '=', p.tenantId)
      .where('id', '=', p.id)
      .where('activeRunId', '=', p.runId),
)
