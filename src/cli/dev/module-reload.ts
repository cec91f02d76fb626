// Fresh modules in a running process: after `renew`, files of a folder are imported anew instead of taken from the cache.
// What was imported before stays in memory: this is for development only.

import { registerHooks } from 'node:module'
import { sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface ModuleReload extends Disposable {
  /** From now on the folder's files are imported anew. */
  renew(): void
  /** The files of the folder that were imported. */
  imported(): ReadonlySet<string>
}

const PARAMETER = 'reload'
/** This package: its modules hold state that must not be there twice. */
const OWN = new URL('../../', import.meta.url).href

export function createModuleReload(folder: string): ModuleReload {
  const root = pathToFileURL(folder + sep).href
  const files = new Set<string>()
  let generation = 0
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const url = new URL(resolved.url)
      const isOurs = url.href.startsWith(root) && !url.pathname.includes('/node_modules/')
      if (!isOurs || url.href.startsWith(OWN)) return resolved
      files.add(fileURLToPath(url))
      if (generation > 0) url.searchParams.set(PARAMETER, String(generation))
      return { ...resolved, url: url.href }
    },
  })
  return {
    renew: () => {
      generation += 1
    },
    imported: () => files,
    [Symbol.dispose]: () => hooks.deregister(),
  }
}
