import { createRelay } from '/work/main/src/queue/relay.ts'
import { openTransport } from '/work/main/src/queue/open-transport.ts'
import { openDatabase } from '/work/main/src/storage/open.ts'
import { migrate } from '/work/main/src/storage/migrations/migrate.ts'
import { enqueueJob, settleJob } from '/work/main/src/queue/job-store.ts'
import { claimTickets } from '/work/main/src/queue/claim.ts'
import { newId } from '/work/main/src/base/ids.ts'
import { startPostgres, createDatabase } from '/work/main/test/support/postgres.ts'
import { startRedis } from '/work/main/test/support/redis.ts'
const pgs = await startPostgres(); const redis = await startRedis()
for (const engine of ['memory', 'bullmq', 'pg-boss'] as const) {
  const { url } = await createDatabase(pgs.url)
  const db = await openDatabase(url); await migrate(db)
  const t = newId('tenant')
  const N = 5000
  await db.tenant(t).write(async (tx) => { for (let i = 0; i < N; i++) await enqueueJob(tx, { id: newId('job'), kind: 'a', at: Date.now() }) })
  const transport = await openTransport(engine === 'memory' ? { engine } : engine === 'bullmq' ? { engine, redisUrl: redis.url } : { engine, databaseUrl: url }, { onError: (e) => console.log('err', e) })
  let passes = 0, done = 0
  const relay = createRelay({ db, clock: Date.now, transport, observer: { failed: (e) => console.log(e), passed: () => { passes++ } } })
  const all = Promise.withResolvers<void>()
  const consumer = await transport.consume(async (tickets) => {
    const jobs = await db.system.write((tx) => claimTickets(tx, { owner: 'w', at: Date.now(), leaseMs: 15000, kinds: ['a'], tickets }))
    await db.tenant(t).write(async (tx) => { for (const job of jobs) await settleJob(tx, job, 'done', Date.now()) })
    done += jobs.length
    if (done >= N) all.resolve()
  }, { concurrency: 10 })
  const from = performance.now()
  relay.start()
  await Promise.race([all.promise, new Promise((r) => setTimeout(r, 60_000))])
  const s = (performance.now() - from) / 1000
  console.log(engine, done, 'jobs', Math.round(done / s), '/s, passes', passes)
  await relay.stop(); await consumer.stop(); await transport[Symbol.asyncDispose](); await db[Symbol.asyncDispose]()
}
await pgs.stop(); await redis.stop(); process.exit(0)
