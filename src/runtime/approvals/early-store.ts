// Answers that came before their question, in the database.

import type { ApprovalId, RunId } from '../../base/ids.ts'
import type { NewRowOf, RowOf } from '../../storage/schema/tables.ts'
import { type Bind, statement } from '../../storage/statement.ts'

export type EarlyRow = RowOf<'earlyDecisions'>

/** The hash of an early answer that fits whatever the arguments are. */
export const ANY_ARGUMENTS = ''

export const earlyOf = statement(
  'early-decisions.of',
  (db, p: Bind<{ runId: RunId; subject: string; argumentsHash: string; userId: string }>) =>
    db
      .selectFrom('earlyDecisions')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('subject', '=', p.subject)
      .where('argumentsHash', '=', p.argumentsHash)
      .where('userId', '=', p.userId),
)

/** Keeps an answer. One that was used makes way for the next; one that was not stays: no row is changed. */
export const keepEarly = statement(
  'early-decisions.keep',
  (db, p: Bind<Omit<NewRowOf<'earlyDecisions'>, 'tenantId' | 'approvalId'>>) =>
    db
      .insertInto('earlyDecisions')
      .values({
        tenantId: p.tenantId,
        runId: p.runId,
        subject: p.subject,
        argumentsHash: p.argumentsHash,
        userId: p.userId,
        actor: p.actor,
        outcome: p.outcome,
        reason: p.reason,
        createdAt: p.createdAt,
        approvalId: null,
      })
      .onConflict((on) =>
        on
          .columns(['tenantId', 'runId', 'subject', 'argumentsHash', 'userId'])
          .doUpdateSet({
            actor: p.actor,
            outcome: p.outcome,
            reason: p.reason,
            createdAt: p.createdAt,
            approvalId: null,
          })
          .where('earlyDecisions.tenantId', '=', p.tenantId)
          .where('earlyDecisions.approvalId', 'is not', null),
      ),
)

/** Those of a run and subject that no question has used, the first given first. */
export const unusedEarly = statement(
  'early-decisions.unused',
  (db, p: Bind<{ runId: RunId; subject: string }>) =>
    db
      .selectFrom('earlyDecisions')
      .selectAll()
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('subject', '=', p.subject)
      .where('approvalId', 'is', null)
      .orderBy('createdAt')
      .orderBy('argumentsHash', 'desc')
      .orderBy('userId'),
)

/** Each is used once. */
export const useEarly = statement(
  'early-decisions.use',
  (
    db,
    p: Bind<{
      runId: RunId
      subject: string
      argumentsHash: string
      userId: string
      approvalId: ApprovalId
    }>,
  ) =>
    db
      .updateTable('earlyDecisions')
      .set({ approvalId: p.approvalId })
      .where('tenantId', '=', p.tenantId)
      .where('runId', '=', p.runId)
      .where('subject', '=', p.subject)
      .where('argumentsHash', '=', p.argumentsHash)
      .where('userId', '=', p.userId)
      .where('approvalId', 'is', null),
)

export const countEarly = statement('early-decisions.count', (db, p: Bind<{ runId: RunId }>) =>
  db
    .selectFrom('earlyDecisions')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('tenantId', '=', p.tenantId)
    .where('runId', '=', p.runId),
)
