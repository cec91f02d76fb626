// The first tenant with its admin and a key, made where the database is empty: all of it or nothing, and only once.

import { AppError, type FieldError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Clock } from '../base/time.ts'
import { PERMISSIONS } from '../contract/permission.ts'
import { type AuditFact, appendAudit } from '../events/append.ts'
import type { Database } from '../storage/database.ts'
import { insertKey } from './api-key-store.ts'
import type { Bootstrapped, Identity } from './identity.ts'
import { hashApiKey, newApiKey, prefixOf } from './key-format.ts'
import { cleanName, NAME_MESSAGE } from './key-input.ts'
import { insertMembership, insertTenant, insertUser, lockBootstrap, selectAnyTenant } from './tenant-store.ts'

const KEY_NAME = 'first admin'

export function createBootstrap({
  db,
  clock,
}: {
  readonly db: Database
  readonly clock: Clock
}): Identity['bootstrap'] {
  return async (input) => {
    const { tenantName, adminName } = checkNames(input)
    return db.system.write(async (system): Promise<Bootstrapped | undefined> => {
      await system.first(lockBootstrap, {})
      if ((await system.first(selectAnyTenant, {})) !== undefined) return undefined
      const at = clock()
      const tenantId = newId('tenant')
      const userId = newId('user')
      const keyId = newId('apiKey')
      const key = newApiKey()
      const prefix = prefixOf(key)
      await system.run(insertTenant, {
        id: tenantId,
        name: tenantName,
        status: 'active',
        capturePolicy: 'full',
        maxConcurrentJobs: null,
        createdAt: at,
        updatedAt: at,
      })
      await system.run(insertUser, {
        id: userId,
        kind: 'human',
        name: adminName,
        email: null,
        platformRole: 'OPERATOR',
        createdAt: at,
      })
      const tx = system.forTenant(tenantId)
      await tx.run(insertMembership, { userId, role: 'ADMIN', createdAt: at })
      await tx.run(insertKey, {
        id: keyId,
        name: KEY_NAME,
        hash: hashApiKey(key),
        prefix,
        ownerId: userId,
        permissions: JSON.stringify(PERMISSIONS),
        createdAt: at,
        expiresAt: null,
      })
      const facts: readonly Pick<AuditFact, 'type' | 'subject' | 'data'>[] = [
        { type: 'tenant.created', subject: tenantId, data: { name: tenantName } },
        {
          type: 'user.created',
          subject: userId,
          data: { kind: 'human', role: 'ADMIN', platformRole: 'OPERATOR' },
        },
        {
          type: 'api-key.created',
          subject: keyId,
          data: { name: KEY_NAME, prefix, ownerId: userId, permissions: PERMISSIONS, expiresAt: null },
        },
      ]
      for (const fact of facts) await appendAudit(tx, { ...fact, actor: 'system', at })
      return { tenantId, userId, key }
    })
  }
}

function checkNames(input: Parameters<Identity['bootstrap']>[0]): typeof input {
  const tenantName = cleanName(input.tenantName)
  const adminName = cleanName(input.adminName)
  if (tenantName !== undefined && adminName !== undefined) return { tenantName, adminName }
  const errors: FieldError[] = []
  if (tenantName === undefined) errors.push({ path: '/tenant_name', message: NAME_MESSAGE })
  if (adminName === undefined) errors.push({ path: '/admin_name', message: NAME_MESSAGE })
  throw new AppError('request.invalid', 'The first tenant cannot be made like this; see errors.', { errors })
}
