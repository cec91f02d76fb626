// `npm start`. The program itself is in start/; before it is loaded, Node is told to keep what it compiles:
// that halves the time of every further start.

import { enableCompileCache, flushCompileCache } from 'node:module'
import { join } from 'node:path'

// In the package and not in the system's temporary folder, where somebody else could leave code for us.
enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/agent-factory'))
const { startMain } = await import('./start/start-main.ts')
flushCompileCache()
await startMain(process.argv.slice(2))
