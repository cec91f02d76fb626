// Loads the host project: imports the files of agents/, tools/, guardrails/ and workflows/ and takes what they export.
// It runs somebody's code in this process, as that code's own program would; it never looks outside these folders.

import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isAppError } from '../../base/errors.ts'
import { toolDefinition } from '../../contract/tool.ts'
import type { CodeGuardrail, CodeTool } from '../../define/code-tool.ts'
import type { DefinedAgent } from '../../define/define-agent.ts'
import type { DefinedWorkflow } from '../../define/defined-workflow.ts'
import { createHostCollector, type HostItem, type HostProject } from './host-project.ts'
import { openPackageDoor } from './package-door.ts'

/** In the order in which they are loaded. */
export const HOST_FOLDERS = ['tools', 'guardrails', 'agents', 'workflows'] as const
const FILES_MAX = 500
const DEPTH_MAX = 5
const SOURCE = /\.m?[jt]s$/
const NOT_A_DEFINITION = /\.(?:test|spec|d)\.m?[jt]s$/

/** Everything that the files export and `define…` made. Files that cannot be used are among the problems, never thrown. */
export async function loadHostProject(folder: string): Promise<HostProject> {
  openPackageDoor()
  const collector = createHostCollector()
  const files = HOST_FOLDERS.flatMap((name) => sourceFiles(join(folder, name), 0)).map((path) =>
    relative(folder, path),
  )
  for (const file of files.slice(0, FILES_MAX)) {
    try {
      const exported: unknown = await import(pathToFileURL(join(folder, file)).href)
      const items = itemsOf(exported)
      if (items.length === 0)
        collector.problem(
          file,
          'exports nothing that defineAgent, defineTool, defineGuardrail or defineWorkflow made',
        )
      for (const item of items) collector.add(file, item)
    } catch (error) {
      collector.problem(file, reasonOf(error))
    }
  }
  if (files.length > FILES_MAX)
    collector.problem(files[FILES_MAX] ?? '', `is one file too many: at most ${FILES_MAX} are loaded`)
  return collector.project()
}

function sourceFiles(folder: string, depth: number): readonly string[] {
  if (depth > DEPTH_MAX) return []
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory())
      return entry.name.startsWith('.') || entry.name === 'node_modules' ? [] : sourceFiles(path, depth + 1)
    return entry.isFile() && SOURCE.test(entry.name) && !NOT_A_DEFINITION.test(entry.name) ? [path] : []
  })
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    // A project without workflows has no folder for them.
    return []
  }
}

function itemsOf(exported: unknown): readonly HostItem[] {
  if (typeof exported !== 'object' || exported === null) return []
  const values = new Set(Object.values(exported).flatMap((value) => (Array.isArray(value) ? value : [value])))
  return [...values].map(itemOf).filter((item) => item !== undefined)
}

/** What `define…` answers is known by its form: another copy of this package may have made it. */
function itemOf(value: unknown): HostItem | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const has = (name: string, type: 'function' | 'array'): boolean => {
    const member: unknown = Reflect.get(value, name)
    return type === 'array' ? Array.isArray(member) : typeof member === 'function'
  }
  if ('definition' in value) {
    if (has('run', 'function')) return { kind: 'code-tool', value: value as CodeTool }
    if (has('check', 'function')) return { kind: 'guardrail', value: value as CodeGuardrail }
    if (has('subAgents', 'array')) return { kind: 'agent', value: value as DefinedAgent }
    if (has('agents', 'array')) return { kind: 'workflow', value: value as DefinedWorkflow }
  }
  if (!('implementation' in value)) return undefined
  const parsed = toolDefinition.safeParse(value)
  return parsed.success ? { kind: 'plain-tool', value: parsed.data } : undefined
}

function reasonOf(error: unknown): string {
  if (isAppError(error))
    return [error.message, ...error.errors.map(({ path, message }) => `${path} ${message}`)].join(' ')
  if (!(error instanceof Error)) return 'threw something that is no error'
  return `${error.name}: ${error.message.split('\n')[0] ?? ''}`
}
