// The command `agent-factory`. Owns the process: its arguments, its streams and its exit code.
// bin/agent-factory.cjs starts it; everything else is in run-cli.ts. Node keeps what it compiles, inside the package
// and not in the system's temporary folder, where somebody else could leave code for us.

import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

enableCompileCache(join(import.meta.dirname, '../../node_modules/.cache/agent-factory'))
const { runCli } = await import('./run-cli.ts')
const { processWorld } = await import('./world.ts')

process.exitCode = await runCli(process.argv.slice(2), processWorld())
