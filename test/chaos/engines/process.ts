// A process of the chaos: the product itself, composed with a scripted model and tools that keep a ledger. It reads its
// settings from the environment as any process does; CHAOS_* say what is other than in production.
// node process.ts server | worker: says `ready`, and SIGTERM stops it gently.

import { compose } from '../../../src/app/compose.ts'
import { serve, untilSignal } from '../../../src/app/serve.ts'
import { readSettings } from '../../../src/app/settings.ts'
import type { Transport } from '../../../src/queue/transport.ts'
import { faultyTransport } from '../../support/engines.ts'
import { chaosModel, chaosProject } from './scene.ts'

/** Much shorter than in production, so that many leases lapse while the chaos lasts. */
const LEASE = { leaseMs: 2_000, heartbeatMs: 400 }
const TICKET_TTL_MS = 2_500

const { CHAOS_LEDGER = '', CHAOS_SKEW_MS = '0', CHAOS_FAULTS = '0', CHAOS_PORT = '0' } = process.env
const skewMs = Number(CHAOS_SKEW_MS)
const faults = Number(CHAOS_FAULTS)
const settings = readSettings(process.env)
const app = await compose(settings, {
  models: [chaosModel()],
  host: chaosProject(CHAOS_LEDGER),
  hostClock: () => Date.now() + skewMs,
  lease: LEASE,
  ticketTtlMs: TICKET_TTL_MS,
  ...(faults > 0 && {
    wrapTransport: (transport: Transport) =>
      faultyTransport(transport, { drop: faults, duplicate: faults, reorder: faults, random: Math.random }),
  }),
})
const server =
  process.argv[2] === 'server'
    ? await serve(app, { host: '127.0.0.1', port: Number(CHAOS_PORT), shutdownTimeoutMs: 5_000 })
    : undefined
// A worker's own timers keep no process alive.
const awake = setInterval(() => undefined, 60_000)
console.log('ready')
await untilSignal(async () => {
  await server?.stop()
  await app.close()
  clearInterval(awake)
})
