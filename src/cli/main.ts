// The command `agent-factory`. Owns the process: its arguments, its streams and its exit code.
// bin/agent-factory.cjs starts it; everything else is in run-cli.ts.

import { runCli } from './run-cli.ts'
import { processWorld } from './world.ts'

process.exitCode = await runCli(process.argv.slice(2), processWorld())
