import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AppError } from '../../base/errors.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const log = createLogger({
    level: 'info',
    format: 'json',
    secrets: [],
    service: { name: 'agent-factory', version: '1' },
    color: false,
    write: (line) => lines.push(line),
    ...options,
  })
  return { log, lines, record: () => JSON.parse(lines.at(-1) ?? 'null') }
}

describe('the log', () => {
  it('writes one JSON object a line with its context', () => {
    const { log, lines, record } = capture()
    log.with({ tenant_id: 'ten_1' }).with({ run_id: 'run_1' }).info('run completed', { ms: 12, cost: 5n })
    assert.equal(lines.length, 1)
    const { time, pid, ...rest } = record()
    assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.equal(pid, process.pid)
    assert.deepEqual(rest, {
      level: 'info',
      service: 'agent-factory',
      version: '1',
      tenant_id: 'ten_1',
      run_id: 'run_1',
      ms: 12,
      cost: '5',
      message: 'run completed',
    })
  })

  it('writes nothing below its level', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.info('quiet')
    assert.equal(lines.length, 0)
  })

  it('keeps secrets out: by name, by form, by value, in errors and their causes', () => {
    const { log, lines } = capture({ secrets: ['canary-value'] })
    log.info('calling with Bearer canary-bearer and canary-value', {
      headers: { authorization: 'canary-header', 'x-api-key': 'canary-key' },
      apiKey: 'canary-camel',
      url: 'postgres://user:canary-password@localhost/db',
      note: `key sk-${'canary'.repeat(4)}`,
      inputTokens: 7,
      error: new AppError('internal', 'with canary-value', { cause: new Error('cause canary-value') }),
    })
    assert.doesNotMatch(lines.join(''), /canary/)
    assert.match(lines.join(''), /"inputTokens":7/)
  })

  it('cannot be made to write a second line or to move the cursor', () => {
    for (const format of ['json', 'pretty'] as const) {
      const { log, lines } = capture({ format })
      log.info('hello\n{"level":"error"}\u001b[2J', { 'a\nb': 'c\r\u2028\u202ed' })
      assert.equal(lines.length, 1)
      const [line = ''] = lines
      assert.equal(line.indexOf('\n'), line.length - 1)
      assert.ok(!line.includes('\u001b'))
      if (format === 'pretty') assert.ok(!line.includes('\u202e'))
    }
  })

  it('cannot be given another time, level or message by a field', () => {
    const { log, lines } = capture()
    log.info('true', { level: 'fatal', message: 'false', time: 'never' })
    assert.equal(lines[0]?.match(/"message"/g)?.length, 1)
    assert.doesNotMatch(lines[0] ?? '', /fatal|never|false/)
  })

  it('survives what cannot be written: cycles, depth, size, getters that throw', () => {
    const { log, lines } = capture()
    const cycle: Record<string, unknown> = {}
    cycle.self = cycle
    log.info('cycle', { cycle, long: 'x'.repeat(100_000), many: Array.from({ length: 5_000 }, () => 1) })
    const hostile = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        throw new Error('no')
      },
    })
    log.info('hostile', { hostile })
    assert.equal(lines.length, 2)
    assert.ok((lines[0]?.length ?? 0) < 20_000)
  })

  it('is short for a person: time, level, message, facts, a stack below', () => {
    const { log, lines } = capture({ format: 'pretty' })
    log.warn('slow', { ms: 5 })
    assert.match(lines[0] ?? '', /^\d\d:\d\d:\d\d\.\d{3} warn {2}slow {2}ms=5\n$/)
    log.error('broken', { error: new Error('why') })
    assert.match(lines[1] ?? '', /error broken\n {4}Error: why\n {4} {4}at /)
  })

  it('loses no line when the process ends at once', () => {
    const file = join(import.meta.dirname, 'logger.ts')
    const program = `
      import { createLogger } from ${JSON.stringify(file)}
      const log = createLogger({ level: 'info', format: 'json', secrets: [], service: { name: 'a', version: '1' }, color: false })
      for (let i = 0; i < 3; i++) log.info('line ' + i)
      process.exit(0)`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    })
    assert.equal(stdout.trim().split('\n').length, 3)
  })
})
