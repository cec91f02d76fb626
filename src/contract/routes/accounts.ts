import { apiKey, auditEntry, createApiKey, createdApiKey, me, tenant, updateTenant } from '../account.ts'
import { pageOf, pageQuery } from '../fields.ts'
import { route } from '../route.ts'
import { idParam } from './path-params.ts'

const keyParams = { id: idParam('apiKey', 'api-key.not-found') } as const
const tenantParams = { id: idParam('tenant', 'tenant.not-found') } as const
const keys = { tag: 'api-keys', permission: 'ADMIN' } as const

export const accountRoutes = {
  whoami: route({
    method: 'GET',
    path: '/me',
    permission: 'authenticated',
    tag: 'me',
    summary: 'Who the credential stands for, and what it may do',
    responses: { 200: me },
  }),
  listApiKeys: route({
    ...keys,
    method: 'GET',
    path: '/api-keys',
    summary: 'List API keys, newest first',
    query: pageQuery,
    responses: { 200: pageOf(apiKey) },
  }),
  createApiKey: route({
    ...keys,
    method: 'POST',
    path: '/api-keys',
    summary: 'Create an API key',
    description:
      'The key is shown once, here. It may do what is listed and its owner may do. Sent again with the same `Idempotency-Key`, `key` is null: it is stored nowhere.',
    body: { schema: createApiKey },
    responses: { 201: createdApiKey },
    idempotent: true,
  }),
  getApiKey: route({
    ...keys,
    method: 'GET',
    path: '/api-keys/{id}',
    summary: 'Get an API key (not its secret)',
    params: keyParams,
    responses: { 200: apiKey },
  }),
  revokeApiKey: route({
    ...keys,
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'Revoke an API key',
    description: 'It stops working within a second everywhere.',
    params: keyParams,
    responses: { 204: null },
  }),
  getTenant: route({
    method: 'GET',
    path: '/tenants/{id}',
    permission: 'authenticated',
    tag: 'tenants',
    summary: "Get the credential's own tenant",
    params: tenantParams,
    responses: { 200: tenant },
  }),
  updateTenant: route({
    method: 'PATCH',
    path: '/tenants/{id}',
    permission: 'ADMIN',
    tag: 'tenants',
    summary: "Change the credential's own tenant",
    description:
      '`max_concurrent_jobs` is for the operator of the platform, who may change it of any tenant.',
    params: tenantParams,
    body: { schema: updateTenant },
    responses: { 200: tenant },
  }),
  listAudit: route({
    method: 'GET',
    feature: 'audit_log',
    path: '/audit',
    permission: 'READ_AUDIT',
    tag: 'audit',
    summary: 'List changes and denials, newest first',
    query: pageQuery,
    responses: { 200: pageOf(auditEntry) },
  }),
} as const
