// A named event is sent: kept, claimed for everyone who waits for it, and for the triggers that it sets off.
// One transaction; handing it on and starting the runs follows, by this process or by any other.

import { setImmediate } from 'node:timers/promises'
import { AppError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Json, JsonObject } from '../../base/json.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import { SIGNAL_CHARS_MAX } from '../../contract/trigger.ts'
import { appendAudit } from '../../events/append.ts'
import { compileExpression } from '../../sandbox/expression.ts'
import { CONDITION_VARIABLES, type FireDeps, failureText } from './fire.ts'
import { claimWaits, insertSignal, lockTopic, topicKey } from './signal-store.ts'
import type { Signal, TriggerContext, TriggerRow } from './trigger.ts'
import { TRIGGERS_PER_TENANT_MAX } from './trigger.ts'
import { insertTick, markFired, triggersOfEvent } from './trigger-store.ts'

export async function sendSignal(
  deps: FireDeps,
  principal: Principal,
  event: { readonly name: string; readonly correlation: string; readonly data: Json },
  context: TriggerContext,
): Promise<Signal> {
  const data = JSON.stringify(event.data)
  if (data.length > SIGNAL_CHARS_MAX) {
    throw new AppError(
      'request.too-large',
      `The data has ${data.length} characters of JSON; at most ${SIGNAL_CHARS_MAX} are allowed.`,
    )
  }
  const { name, correlation } = event
  const actor = actorOf(principal)
  const at = deps.clock()
  const id = newId('signal', at)
  const tenant = deps.db.tenant(principal.tenantId)
  const ofEvent = { eventName: name, limit: TRIGGERS_PER_TENANT_MAX }
  const asked = await tenant.read((reader) => reader.all(triggersOfEvent, ofEvent))
  const { met, failed } = await conditionsOf(asked, { id, name, correlation, data: event.data })
  await tenant.write(async (tx) => {
    await tx.first(lockTopic, { key: topicKey(tx.tenantId, event) })
    await tx.run(insertSignal, { id, name, correlation, data, createdBy: actor, createdAt: at })
    const waits = await tx.run(claimWaits, { name, correlation, signalId: id })
    const tick = { tick: id, state: 'pending', runId: null, error: null, createdAt: at } as const
    // One that was deleted or paused since is set off no more.
    const still = new Set(met.length > 0 ? (await tx.all(triggersOfEvent, ofEvent)).map((row) => row.id) : [])
    const set = met.filter((trigger) => still.has(trigger.id))
    for (const trigger of set) await tx.run(insertTick, { triggerId: trigger.id, ...tick })
    for (const { trigger, error } of failed)
      await tx.run(markFired, { id: trigger.id, at, runId: null, error })
    await appendAudit(tx, {
      type: 'signal.sent',
      actor,
      subject: id,
      data: { name, correlation, waits, triggers: set.length },
      requestId: context.requestId,
      at,
    })
    await context.inTransaction?.(tx, id)
  })
  return { id, name, correlation, createdAt: at }
}

interface Conditions {
  readonly met: readonly TriggerRow[]
  readonly failed: readonly { readonly trigger: TriggerRow; readonly error: string }[]
}

/** Outside the transaction: an expression takes its time, and many would keep all else waiting. */
async function conditionsOf(triggers: readonly TriggerRow[], event: JsonObject): Promise<Conditions> {
  const met: TriggerRow[] = []
  const failed: { trigger: TriggerRow; error: string }[] = []
  for (const trigger of triggers) {
    if (trigger.eventCondition !== null) await setImmediate()
    try {
      if (holds(trigger.eventCondition, event)) met.push(trigger)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      failed.push({ trigger, error: failureText(error) })
    }
  }
  return { met, failed }
}

function holds(condition: string | null, event: JsonObject): boolean {
  if (condition === null) return true
  const value = compileExpression(condition, { variables: CONDITION_VARIABLES }).evaluate({ event })
  if (typeof value === 'boolean') return value
  throw new AppError('definition.invalid', 'The condition of the trigger must give true or false.')
}
