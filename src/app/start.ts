// `npm start`. The program itself is in start/.

import { flushCompileCache } from 'node:module'
import { startMain } from './start/start-main.ts'

// A server may run for months: what Node compiled at the start is kept now, and not only when it ends.
flushCompileCache()
await startMain(process.argv.slice(2))
