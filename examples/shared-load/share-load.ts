// Two workers that ask Postgres for jobs and two that Redis tells of them share one load; prints which did how many.
// DATABASE_URL=postgres://… REDIS_URL=redis://… node scripts/run.cjs examples/shared-load/share-load.ts [runs]

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'agent-factory/sdk'

const RUNS = Number(process.argv[2] ?? 40)
const CLI = join(import.meta.dirname, '../../bin/agent-factory.cjs')
const { DATABASE_URL, REDIS_URL, ...environment } = process.env
if (!DATABASE_URL?.startsWith('postgres') || !REDIS_URL)
  throw new Error('Set DATABASE_URL to an empty Postgres database, and REDIS_URL.')

const folder = mkdtempSync(join(tmpdir(), 'shared-load-'))
const children: ChildProcess[] = []
try {
  const onRedis = { REDIS_URL }
  // The server takes the runs and works on none of them.
  await start(['serve', '--port', '0'], { ...onRedis, WORKER_CONCURRENCY: '0' }, /listening|API: /)
  const worker = ['worker', 'start', '--concurrency', '2']
  const names = await Promise.all([
    start(worker, {}, /started worker=(\S+)/),
    start(worker, {}, /started worker=(\S+)/),
    start(worker, onRedis, /started worker=(\S+)/),
    start(worker, onRedis, /started worker=(\S+)/),
  ])
  const labels = new Map(
    names.map((name, n) => [name, `${n < 2 ? 'Postgres' : 'Redis'} worker ${(n % 2) + 1}`]),
  )

  const { api_url, api_key } = JSON.parse(readFileSync(join(folder, 'credentials.json'), 'utf8'))
  await using client = new Client({ baseUrl: api_url, apiKey: api_key })
  const started: string[] = []
  for (let n = 0; n < RUNS; n++)
    started.push((await client.runAgent('guide', `What is ${n} + ${n}?`, { wait: false })).id)

  const count = new Map([...labels.values()].map((label) => [label, 0]))
  let twice = 0
  for (const id of started) {
    const run = await client.waitForRun(id)
    if (run.state !== 'completed') throw new Error(`The run ${id} is ${run.state}: ${run.error?.message}`)
    // Who took it up is in its events: once, unless a worker was lost on the way.
    const takers: string[] = []
    for await (const { type, actor } of client.listRunEvents(id))
      if (type === 'run.started' || type === 'run.resumed') takers.push(actor)
    const label = labels.get(takers[0] ?? '') ?? 'somebody else'
    count.set(label, (count.get(label) ?? 0) + 1)
    if (takers.length > 1) twice++
  }
  for (const [label, runs] of count) console.log(`${label}: ${runs} runs`)
  console.log(`${started.length} completed, ${twice} taken twice`)
} finally {
  for (const child of children) child.kill('SIGTERM')
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')))
  rmSync(folder, { recursive: true, force: true })
}

/** Starts the command line with these variables; answers what the pattern found in its output. */
async function start(args: readonly string[], variables: NodeJS.ProcessEnv, ready: RegExp): Promise<string> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd: folder,
    env: { ...environment, AGENT_FACTORY_DATA_DIR: folder, DATABASE_URL, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk))
  for (;;) {
    const found = ready.exec(said)
    if (found !== null) return found[1] ?? ''
    if (child.exitCode !== null) throw new Error(`"${args.join(' ')}" ended: ${said}`)
    await sleep(20)
  }
}
