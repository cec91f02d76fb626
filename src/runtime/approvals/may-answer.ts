// Who may answer a question: a role or above, and never who asked where the policy says so.

import { AppError } from '../../base/errors.ts'
import { isId, type UserId } from '../../base/ids.ts'
import { ROLE_PERMISSIONS, type Role } from '../../contract/permission.ts'
import { selectKey, selectRole } from '../../identity/api-key-store.ts'
import type { TenantReader } from '../../storage/database.ts'
import type { ApprovalRow } from './approval-store.ts'

/** Somebody who answers, and what they are in the tenant now. */
export interface Answerer {
  readonly userId: string
  readonly role: Role
}

const RANK: Readonly<Record<Role, number>> = { USER: 1, CREATOR: 2, ADMIN: 3 }

/** The higher of two roles; nobody in particular is below every role. */
export function higherRole(one: Role | null, other: Role | null): Role | null {
  if (one === null || other === null) return one ?? other
  return RANK[one] >= RANK[other] ? one : other
}

/** Why the person may not answer; undefined where they may. `refusalIn` knows of those who started it through a trigger. */
export function refusalOf(
  approval: Pick<ApprovalRow, 'role' | 'excludeRequester' | 'requestedBy'>,
  answerer: Answerer,
): AppError | undefined {
  const { role } = approval
  if (role === null && !ROLE_PERMISSIONS[answerer.role].includes('RESOLVE_RUNS'))
    return notYours('This needs somebody who may resolve runs.')
  if (role !== null && RANK[answerer.role] < RANK[role])
    return notYours(`This is for the role ${role} or above; yours is ${answerer.role}.`)
  if (approval.excludeRequester === 1 && approval.requestedBy === answerer.userId) return startedIt()
  return undefined
}

export function startedIt(): AppError {
  return notYours('Who started the run may not answer this; ask somebody else.')
}

/** What a user of the tenant is now; undefined where they are none. */
export async function answererOf(reader: TenantReader, userId: string): Promise<Answerer | undefined> {
  const member = await reader.first(selectRole, { userId: userId as UserId })
  return member === undefined ? undefined : { userId, role: member.role }
}

/** The user behind an actor: the owner of a key, whichever key it was. */
export async function userOf(reader: TenantReader, actor: string): Promise<string> {
  if (!isId('apiKey', actor)) return actor
  return (await reader.first(selectKey, { id: actor }))?.ownerId ?? actor
}

function notYours(message: string): AppError {
  return new AppError('approval.not-yours', message)
}
