// Lets the host's code import this package by its name, whether or not it is installed beside it: what runs is what answers.

import { registerHooks } from 'node:module'

const EXTENSION = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** What package.json exports, and where it lies from here. */
const DOORS: Readonly<Record<string, string>> = {
  'agent-factory': 'index',
  'agent-factory/define': 'define',
  'agent-factory/sdk': 'sdk',
}
let open = false

/** From now on `agent-factory/define` and its siblings are the files of this process, for every importer. Once is enough. */
export function openPackageDoor(): void {
  if (open) return
  open = true
  registerHooks({
    resolve: (specifier, context, next) => {
      const door = DOORS[specifier]
      if (door === undefined) return next(specifier, context)
      return { url: new URL(`../../${door}.${EXTENSION}`, import.meta.url).href, shortCircuit: true }
    },
  })
}
