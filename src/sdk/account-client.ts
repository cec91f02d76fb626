// The client's methods about who one is: keys, the tenant, its projects and its audit log.

import type {
  ApiKey,
  AuditEntry,
  CreateApiKey,
  CreatedApiKey,
  Me,
  Tenant,
  UpdateTenant,
} from '../contract/account.ts'
import type { CreateProject, Project, UpdateProject } from '../contract/project.ts'
import { ROUTES, type Routes } from '../contract/routes.ts'
import { type ListOptions, listRoute } from './list-route.ts'
import type { PageList } from './page-list.ts'
import type { CallOptions, Transport } from './transport.ts'

type Listing<Id extends keyof Routes> = ListOptions<Routes[Id]>

/** What `Client` has of accounts. */
export class AccountClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  whoami(options?: CallOptions): Promise<Me> {
    return this.#transport.send(ROUTES.whoami, {}, options)
  }
  /** `key` of the answer is shown this once. */
  createApiKey(request: CreateApiKey, options?: CallOptions): Promise<CreatedApiKey> {
    return this.#transport.send(ROUTES.createApiKey, { body: request }, options)
  }
  listApiKeys(options: Listing<'listApiKeys'> = {}): PageList<ApiKey> {
    return listRoute(this.#transport, ROUTES.listApiKeys, {}, options)
  }
  getApiKey(id: string, options?: CallOptions): Promise<ApiKey> {
    return this.#transport.send(ROUTES.getApiKey, { params: { id } }, options)
  }
  async revokeApiKey(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(ROUTES.revokeApiKey, { params: { id } }, options)
  }
  getTenant(id: string, options?: CallOptions): Promise<Tenant> {
    return this.#transport.send(ROUTES.getTenant, { params: { id } }, options)
  }
  updateTenant(id: string, change: UpdateTenant, options?: CallOptions): Promise<Tenant> {
    return this.#transport.send(ROUTES.updateTenant, { params: { id }, body: change }, options)
  }
  createProject(request: CreateProject, options?: CallOptions): Promise<Project> {
    return this.#transport.send(ROUTES.createProject, { body: request }, options)
  }
  listProjects(options: Listing<'listProjects'> = {}): PageList<Project> {
    return listRoute(this.#transport, ROUTES.listProjects, {}, options)
  }
  getProject(id: string, options?: CallOptions): Promise<Project> {
    return this.#transport.send(ROUTES.getProject, { params: { id } }, options)
  }
  /** Renames it, archives it (`state: 'archived'`) or takes it up again. */
  updateProject(id: string, change: UpdateProject, options?: CallOptions): Promise<Project> {
    return this.#transport.send(ROUTES.updateProject, { params: { id }, body: change }, options)
  }
  listAudit(options: Listing<'listAudit'> = {}): PageList<AuditEntry> {
    return listRoute(this.#transport, ROUTES.listAudit, {}, options)
  }
}
