// A trigger starts a run: in the name of its owner, with what the owner may do now, and once for each tick.

import { AppError, isAppError } from '../../base/errors.ts'
import type { RunId, TriggerId } from '../../base/ids.ts'
import { isJsonObject, type JsonObject, withoutNul } from '../../base/json.ts'
import { type Clock, type EpochMs, formatTime } from '../../base/time.ts'
import type { Permission } from '../../contract/permission.ts'
import { actorOf, type Principal } from '../../contract/principal.ts'
import type { TriggerTarget } from '../../contract/trigger.ts'
import { appendAudit } from '../../events/append.ts'
import { readPermissions } from '../../identity/principals.ts'
import { standingOf } from '../../identity/standing.ts'
import { compileExpression } from '../../sandbox/expression.ts'
import type { Database, TenantTransaction } from '../../storage/database.ts'
import type { RuntimeObserver } from '../observer.ts'
import type { TriggerContext, TriggerRow } from './trigger.ts'
import { markFired } from './trigger-store.ts'

export interface FireDeps {
  readonly db: Database
  readonly clock: Clock
  readonly observer: RuntimeObserver
  readonly start: (
    principal: Principal,
    run: {
      readonly target: TriggerTarget
      readonly input: string | JsonObject
      readonly triggerId: TriggerId
      readonly setOffBy: string | undefined
    },
    context: TriggerContext,
  ) => Promise<{ readonly id: RunId }>
}

export interface Tick {
  /** A tick's time, a delivery's id, an event's id. */
  readonly tick: string
  /** What the expression of the input sees beside `id`, `name`, `kind`, `at`. */
  readonly facts: JsonObject
  /** Who sent the event. */
  readonly setOffBy?: string | undefined
  /** Claims the tick, in the transaction that records the run. False where somebody has it: then no run is recorded. */
  claim(tx: TenantTransaction, outcome: TickOutcome): Promise<boolean>
}

export type TickOutcome =
  | { readonly state: 'started'; readonly runId: RunId; readonly error: null }
  | { readonly state: 'failed'; readonly runId: null; readonly error: string }

/** `undefined`: another was first. */
export type Fired = TickOutcome | undefined

/** The variables of a trigger's expressions. */
export const INPUT_VARIABLES = ['trigger'] as const
export const CONDITION_VARIABLES = ['event'] as const

/** A failure can say as much as the data that it is about. */
const FAILURE_CHARS_MAX = 1_000

/** Somebody has the tick: thrown inside the transaction, so that it leaves nothing. */
const OVERTAKEN = new Error('Another process was first to fire this tick.')

/**
 * Starts the run of a tick. What hinders it for good (the owner may not, the target is not published, the expression
 * fails) is recorded, and the tick is over; what may pass (the database is away) is thrown, and the tick stays.
 */
export async function fireTick(deps: FireDeps, trigger: TriggerRow, tick: Tick): Promise<Fired> {
  const at = deps.clock()
  try {
    const principal = await ownerOf(deps.db, trigger)
    const input = inputOf(trigger, tick.facts, at)
    const target = targetOf(trigger)
    let outcome: Fired
    await deps.start(
      principal,
      { target, input, triggerId: trigger.id, setOffBy: tick.setOffBy },
      {
        requestId: undefined,
        inTransaction: async (tx, id) => {
          outcome = { state: 'started', runId: id as RunId, error: null }
          if (!(await tick.claim(tx, outcome))) throw OVERTAKEN
          await note(tx, trigger, { actor: actorOf(principal), tick: tick.tick, outcome, at })
        },
      },
    )
    return outcome
  } catch (error) {
    if (error === OVERTAKEN) return undefined
    if (!isAppError(error) || mayPass(error)) throw error
    return failTick(deps, trigger, tick, error)
  }
}

/** The run's input, by the trigger's expression. */
function inputOf(trigger: TriggerRow, facts: JsonObject, at: EpochMs): string | JsonObject {
  const { id, name, kind } = trigger
  const expression = compileExpression(trigger.input, { variables: INPUT_VARIABLES })
  const value = expression.evaluate({ trigger: { id, name, kind, at: formatTime(at), ...facts } })
  if (typeof value === 'string' || isJsonObject(value)) return value
  throw new AppError('definition.invalid', 'The input of the trigger must give a text or an object.')
}

export function targetOf({ targetKind, target }: TriggerRow): TriggerTarget {
  return targetKind === 'agent' ? { agent: target } : { workflow: target }
}

export function permissionFor(kind: TriggerRow['targetKind']): Permission {
  return kind === 'agent' ? 'RUN_AGENTS' : 'RUN_WORKFLOWS'
}

async function ownerOf(db: Database, trigger: TriggerRow): Promise<Principal> {
  const { tenantId, ownerId: userId } = trigger
  const owner = await standingOf(db, { tenantId, userId }, readPermissions(trigger.permissions))
  if (owner === undefined)
    throw new AppError(
      'access.denied',
      'The owner of the trigger is no active member of the tenant any more.',
    )
  const needed = permissionFor(trigger.targetKind)
  if (!owner.permissions.has(needed))
    throw new AppError('access.denied', `The owner of the trigger does not hold ${needed} any more.`)
  return owner
}

/** A failure as it is kept: its words may be a payload's. */
export function failureText({ code, message }: AppError): string {
  return withoutNul(`${code}: ${message}`).slice(0, FAILURE_CHARS_MAX)
}

/** The tick is over, and has started nothing. */
export async function failTick(
  deps: FireDeps,
  trigger: TriggerRow,
  tick: Pick<Tick, 'tick' | 'claim'>,
  cause: AppError,
): Promise<Fired> {
  const outcome = { state: 'failed', runId: null, error: failureText(cause) } as const
  try {
    await deps.db.tenant(trigger.tenantId).write(async (tx) => {
      if (!(await tick.claim(tx, outcome))) throw OVERTAKEN
      await note(tx, trigger, { actor: trigger.ownerId, tick: tick.tick, outcome, at: deps.clock() })
    })
    return outcome
  } catch (error) {
    if (error === OVERTAKEN) return undefined
    throw error
  }
}

/** The trigger shows its last tick, and the audit log has each. */
async function note(
  tx: TenantTransaction,
  trigger: TriggerRow,
  fact: {
    readonly actor: string
    readonly tick: string
    readonly outcome: TickOutcome
    readonly at: EpochMs
  },
): Promise<void> {
  const { runId, error, state } = fact.outcome
  await tx.run(markFired, { id: trigger.id, at: fact.at, runId, error })
  const told = error === null ? { run: runId } : { error }
  await appendAudit(tx, {
    type: state === 'started' ? 'trigger.fired' : 'trigger.failed',
    actor: fact.actor,
    subject: trigger.id,
    data: { name: trigger.name, kind: trigger.kind, tick: fact.tick, ...told },
    at: fact.at,
  })
}

/** Of the server, not of the trigger. */
function mayPass({ code }: AppError): boolean {
  return code === 'internal' || code === 'budget.unavailable' || /^(storage|server|engine)\./.test(code)
}
