// Agents, tools and workflows, as the commands that the three have alike need them: schemas and the calls of the client.

import type { z } from 'zod'
import { agentDefinition } from '../../contract/agent.ts'
import type { VersionDiff } from '../../contract/resource.ts'
import type { Agent, AgentVersion } from '../../contract/routes/agents.ts'
import { ROUTES } from '../../contract/routes.ts'
import { toolDefinition } from '../../contract/tool.ts'
import { workflowDefinition } from '../../contract/workflow.ts'
import type {
  Client,
  CreateOptions,
  PublishOptions,
  UpdateOptions,
  VersionOptions,
} from '../../sdk/client.ts'
import type { PageList } from '../../sdk/page-list.ts'
import type { Column } from '../output/table.ts'

export type Resource<D> = Omit<Agent, 'definition'> & { readonly definition: D }
export type Version<D> = Omit<AgentVersion, 'definition'> & { readonly definition: D }
interface PageOptions {
  readonly limit: number
  readonly signal: AbortSignal
}

export interface DefinitionKind<D extends { readonly name: string }> {
  readonly word: 'agent' | 'tool' | 'workflow'
  readonly article: 'an' | 'a'
  readonly example: string
  readonly definition: z.ZodType<D>
  readonly resource: z.ZodType<Resource<D>>
  readonly version: z.ZodType<Version<D>>
  /** What a table shows of a definition beside its name and versions. */
  readonly column: Column<Resource<D>>
  create(client: Client, definition: D, options: CreateOptions): Promise<Resource<D>>
  list(client: Client, options: PageOptions & { readonly archived?: boolean }): PageList<Resource<D>>
  get(client: Client, id: string): Promise<Resource<D>>
  getVersion(client: Client, id: string, version: number): Promise<Version<D>>
  update(client: Client, id: string, definition: D, options: UpdateOptions): Promise<Resource<D>>
  publish(client: Client, id: string, options: PublishOptions): Promise<Resource<D>>
  rollback(client: Client, id: string, options: VersionOptions): Promise<Resource<D>>
  diff(client: Client, id: string, from: number, to: number): Promise<VersionDiff>
  versions(client: Client, id: string, options: PageOptions): PageList<Version<D>>
  remove(client: Client, id: string): Promise<void>
}

export const AGENTS: DefinitionKind<z.output<typeof agentDefinition>> = {
  word: 'agent',
  article: 'an',
  example: 'support.yaml',
  definition: agentDefinition,
  resource: ROUTES.getAgent.responses[200],
  version: ROUTES.getAgentVersion.responses[200],
  column: { title: 'MODEL', value: ({ definition }) => definition.model },
  create: (client, definition, options) => client.createAgent(definition, options),
  list: (client, options) => client.listAgents(options),
  get: (client, id) => client.getAgent(id),
  getVersion: (client, id, version) => client.getAgentVersion(id, version),
  update: (client, id, definition, options) => client.updateAgent(id, definition, options),
  publish: (client, id, options) => client.publishAgent(id, options),
  rollback: (client, id, options) => client.rollbackAgent(id, options),
  diff: (client, id, from, to) => client.diffAgent(id, from, to),
  versions: (client, id, options) => client.listAgentVersions(id, options),
  remove: (client, id) => client.deleteAgent(id),
}

export const TOOLS: DefinitionKind<z.output<typeof toolDefinition>> = {
  word: 'tool',
  article: 'a',
  example: 'get-weather.yaml',
  definition: toolDefinition,
  resource: ROUTES.getTool.responses[200],
  version: ROUTES.getToolVersion.responses[200],
  column: {
    title: 'KIND',
    value: ({ definition: { implementation, effect } }) =>
      `${implementation.type}, ${effect ?? 'effect not said'}`,
  },
  create: (client, definition, options) => client.createTool(definition, options),
  list: (client, options) => client.listTools(options),
  get: (client, id) => client.getTool(id),
  getVersion: (client, id, version) => client.getToolVersion(id, version),
  update: (client, id, definition, options) => client.updateTool(id, definition, options),
  publish: (client, id, options) => client.publishTool(id, options),
  rollback: (client, id, options) => client.rollbackTool(id, options),
  diff: (client, id, from, to) => client.diffTool(id, from, to),
  versions: (client, id, options) => client.listToolVersions(id, options),
  remove: (client, id) => client.deleteTool(id),
}

export const WORKFLOWS: DefinitionKind<z.output<typeof workflowDefinition>> = {
  word: 'workflow',
  article: 'a',
  example: 'triage.yaml',
  definition: workflowDefinition,
  resource: ROUTES.getWorkflow.responses[200],
  version: ROUTES.getWorkflowVersion.responses[200],
  column: { title: 'NODES', value: ({ definition }) => String(definition.nodes.length), align: 'right' },
  create: (client, definition, options) => client.createWorkflow(definition, options),
  list: (client, options) => client.listWorkflows(options),
  get: (client, id) => client.getWorkflow(id),
  getVersion: (client, id, version) => client.getWorkflowVersion(id, version),
  update: (client, id, definition, options) => client.updateWorkflow(id, definition, options),
  publish: (client, id, options) => client.publishWorkflow(id, options),
  rollback: (client, id, options) => client.rollbackWorkflow(id, options),
  diff: (client, id, from, to) => client.diffWorkflow(id, from, to),
  versions: (client, id, options) => client.listWorkflowVersions(id, options),
  remove: (client, id) => client.deleteWorkflow(id),
}
