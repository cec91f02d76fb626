// Triggers are created, changed and deleted. What they say is checked when it is written.

import { AppError, type FieldError, isAppError } from '../../base/errors.ts'
import { newId, type TriggerId } from '../../base/ids.ts'
import type { Clock, EpochMs } from '../../base/time.ts'
import type { AuditEventType } from '../../contract/event.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { TriggerChange, TriggerInput, TriggerTarget } from '../../contract/trigger.ts'
import { appendAudit } from '../../events/append.ts'
import { compileExpression } from '../../sandbox/expression.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import { readSchedule } from './cron.ts'
import { CONDITION_VARIABLES, INPUT_VARIABLES, permissionFor } from './fire.ts'
import { TRIGGERS_PER_TENANT_MAX, type TriggerContext, type TriggerKind, type TriggerRow } from './trigger.ts'
import {
  countTriggers,
  deleteTicks,
  deleteTriggerRow,
  insertTrigger,
  lockTrigger,
  lockTriggers,
  nextSecret,
  triggerById,
  updateTriggerRow,
} from './trigger-store.ts'

export interface WriteDeps {
  readonly db: Database
  readonly clock: Clock
}

export async function createTrigger(
  deps: WriteDeps,
  principal: Principal,
  input: TriggerInput,
  context: TriggerContext,
): Promise<TriggerRow> {
  const at = deps.clock()
  const id = newId('trigger', at)
  const what = whatOf(input)
  check(input.kind, what)
  checkMay(principal, what.targetKind)
  return deps.db.tenant(principal.tenantId).write(async (tx) => {
    await tx.first(lockTriggers, { key: JSON.stringify(['triggers', tx.tenantId]) })
    const count = Number((await tx.first(countTriggers, {}))?.count ?? 0)
    if (count >= TRIGGERS_PER_TENANT_MAX) {
      throw new AppError(
        'request.invalid',
        `The tenant has ${TRIGGERS_PER_TENANT_MAX} triggers already; delete some.`,
      )
    }
    const added = await tx.run(insertTrigger, {
      ...what,
      id,
      name: input.name,
      kind: input.kind,
      state: 'active',
      nextAt: nextAtOf(what, at),
      ...ownedBy(principal),
      createdBy: actorOf(principal),
      createdAt: at,
      updatedAt: at,
    })
    if (added !== 1) throw new AppError('trigger.name-taken', `There is a trigger "${input.name}" already.`)
    const row = await foundTrigger(tx, id)
    await audit(tx, principal, 'trigger.created', row, { context, at })
    await context.inTransaction?.(tx, id)
    return row
  })
}

export async function updateTrigger(
  deps: WriteDeps,
  principal: Principal,
  id: TriggerId,
  change: TriggerChange,
  context: TriggerContext,
): Promise<TriggerRow> {
  const at = deps.clock()
  return deps.db.tenant(principal.tenantId).write(async (tx) => {
    const before = await lockedTrigger(tx, id)
    const { state = before.state, ...content } = change
    refuseForeign(before.kind, content)
    const what = { ...whatWas(before), ...changeOf(content) }
    const changed = Object.keys(content).length > 0
    if (changed) {
      check(before.kind, what)
      checkMay(principal, what.targetKind)
    }
    // What was due while it was paused is over; a schedule that stays as it is keeps its next tick.
    const anew = what.cron !== before.cron || what.timezone !== before.timezone || state !== before.state
    const nextAt = anew ? nextAtOf(what, at) : before.nextAt
    const owner = changed ? ownedBy(principal) : { ownerId: before.ownerId, permissions: before.permissions }
    await tx.run(updateTriggerRow, { ...what, id, state, nextAt, ...owner, updatedAt: at })
    const row = await foundTrigger(tx, id)
    await audit(tx, principal, 'trigger.updated', row, { context, at })
    return row
  })
}

export async function deleteTrigger(
  deps: WriteDeps,
  principal: Principal,
  id: TriggerId,
  context: TriggerContext,
): Promise<void> {
  await deps.db.tenant(principal.tenantId).write(async (tx) => {
    const row = await lockedTrigger(tx, id)
    await tx.run(deleteTicks, { triggerId: id })
    await tx.run(deleteTriggerRow, { id })
    await audit(tx, principal, 'trigger.deleted', row, { context, at: deps.clock() })
  })
}

/** Makes the next secret count. Whoever has it may start runs: they start in the name of who asked for it from then on. */
export async function rotateTriggerSecret(
  deps: WriteDeps,
  principal: Principal,
  id: TriggerId,
  context: TriggerContext,
): Promise<TriggerRow> {
  const at = deps.clock()
  return deps.db.tenant(principal.tenantId).write(async (tx) => {
    const before = await lockedTrigger(tx, id)
    if (before.kind !== 'webhook')
      throw new AppError(
        'request.invalid',
        `Only a webhook has a secret; "${before.name}" is of kind ${before.kind}.`,
      )
    checkMay(principal, before.targetKind)
    await tx.first(nextSecret, { id, at, ...ownedBy(principal) })
    const row = await foundTrigger(tx, id)
    await audit(tx, principal, 'trigger.secret-rotated', row, { context, at })
    return row
  })
}

export function notFound(id: TriggerId): AppError {
  return new AppError('trigger.not-found', `There is no trigger "${id}".`)
}

async function foundTrigger(tx: TenantTransaction, id: TriggerId): Promise<TriggerRow> {
  const row = await tx.first(triggerById, { id })
  if (row === undefined) throw notFound(id)
  return row
}

async function lockedTrigger(tx: TenantTransaction, id: TriggerId): Promise<TriggerRow> {
  const row = await tx.first(lockTrigger, { id })
  if (row === undefined) throw notFound(id)
  return row
}

/** What a trigger does, as its columns have it. */
type What = Pick<
  TriggerRow,
  'targetKind' | 'target' | 'input' | 'cron' | 'timezone' | 'missed' | 'eventName' | 'eventCondition'
>

const INPUT_DEFAULT: Readonly<Record<TriggerKind, string>> = {
  schedule: '{"trigger": trigger.name, "scheduled_at": trigger.scheduled_at}',
  webhook: 'trigger.payload',
  event: 'trigger.event.data',
}

function whatOf(input: TriggerInput): What {
  const shared = {
    ...targetColumns(input.target),
    input: input.input ?? INPUT_DEFAULT[input.kind],
    cron: null,
    timezone: null,
    missed: null,
    eventName: null,
    eventCondition: null,
  }
  switch (input.kind) {
    case 'schedule':
      return {
        ...shared,
        cron: input.cron,
        timezone: input.timezone ?? 'UTC',
        missed: input.missed ?? 'skip',
      }
    case 'event':
      return { ...shared, eventName: input.eventName, eventCondition: input.condition ?? null }
    case 'webhook':
      return shared
    default:
      return input satisfies never
  }
}

function whatWas(row: TriggerRow): What {
  const { targetKind, target, input, cron, timezone, missed, eventName, eventCondition } = row
  return { targetKind, target, input, cron, timezone, missed, eventName, eventCondition }
}

type Content = Omit<TriggerChange, 'state'>

function changeOf({ target, condition, ...same }: Content): Partial<What> {
  const given = Object.entries(same).filter(([, value]) => value !== undefined)
  return {
    ...(Object.fromEntries(given) as Partial<What>),
    ...(target === undefined ? {} : targetColumns(target)),
    ...(condition === undefined ? {} : { eventCondition: condition }),
  }
}

function targetColumns(target: TriggerTarget): Pick<What, 'targetKind' | 'target'> {
  return 'agent' in target
    ? { targetKind: 'agent', target: target.agent }
    : { targetKind: 'workflow', target: target.workflow }
}

/** The runs may do what the owner may do at their time, and no more than the key that wrote this may do now. */
function ownedBy(principal: Principal): Pick<TriggerRow, 'ownerId' | 'permissions'> {
  return { ownerId: principal.userId, permissions: JSON.stringify([...principal.permissions]) }
}

function checkMay(principal: Principal, targetKind: TriggerRow['targetKind']): void {
  const needed = permissionFor(targetKind)
  if (principal.permissions.has(needed)) return
  throw new AppError('access.denied', `A trigger that runs a ${targetKind} needs the permission ${needed}.`)
}

const OF_KIND: Readonly<Record<string, TriggerKind>> = {
  cron: 'schedule',
  timezone: 'schedule',
  missed: 'schedule',
  eventName: 'event',
  condition: 'event',
}

function refuseForeign(kind: TriggerKind, content: Content): void {
  const errors = Object.keys(content).flatMap((field) => {
    const of = OF_KIND[field]
    return of === undefined || of === kind
      ? []
      : [fieldError(field, `is a field of ${of} triggers; this is a ${kind}`)]
  })
  throwAll(errors)
}

/** Every error at once, each with the field that it is in. */
function check(kind: TriggerKind, what: What): void {
  const errors = [...expressionErrors('input', what.input, INPUT_VARIABLES)]
  if (what.eventCondition !== null)
    errors.push(...expressionErrors('condition', what.eventCondition, CONDITION_VARIABLES))
  if (kind === 'schedule') {
    const read = readSchedule(what.cron ?? '', what.timezone ?? '')
    if (!read.ok) errors.push(fieldError(read.field, read.message))
  }
  throwAll(errors)
}

function throwAll(errors: readonly FieldError[]): void {
  if (errors.length === 0) return
  const told = errors.map(({ path, message }) => `${path.slice(1)} ${message}`).join('; ')
  throw new AppError('definition.invalid', `The trigger is wrong: ${told}.`, { errors })
}

function expressionErrors(
  field: string,
  source: string,
  variables: readonly string[],
): readonly FieldError[] {
  try {
    compileExpression(source, { variables })
    return []
  } catch (error) {
    if (!isAppError(error)) throw error
    return [fieldError(field, error.message.replace(/\.$/, ''))]
  }
}

function fieldError(field: string, message: string): FieldError {
  return { path: `/${field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`, message }
}

function nextAtOf({ cron, timezone }: What, at: EpochMs): EpochMs | null {
  if (cron === null || timezone === null) return null
  const read = readSchedule(cron, timezone)
  return read.ok ? (read.schedule.next(at) ?? null) : null
}

async function audit(
  tx: TenantTransaction,
  principal: Principal,
  type: AuditEventType,
  row: TriggerRow,
  { context, at }: { readonly context: TriggerContext; readonly at: EpochMs },
): Promise<void> {
  const { name, kind, state, targetKind, target, cron, timezone, eventName, secretVersion } = row
  await appendAudit(tx, {
    type,
    actor: actorOf(principal),
    subject: row.id,
    data: { name, kind, state, targetKind, target, cron, timezone, eventName, secretVersion },
    requestId: context.requestId,
    at,
  })
}
