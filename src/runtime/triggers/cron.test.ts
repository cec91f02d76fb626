import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSchedule, type Schedule } from './cron.ts'

function schedule(cron: string, timezone = 'UTC'): Schedule {
  const read = readSchedule(cron, timezone)
  assert.ok(read.ok, read.ok ? '' : read.message)
  return read.schedule
}

function ticks(cron: string, timezone: string, from: string, count: number): string[] {
  const found: string[] = []
  for (let at = Date.parse(from); found.length < count; ) {
    at = schedule(cron, timezone).next(at) ?? Number.NaN
    found.push(new Date(at).toISOString().slice(5, 16))
  }
  return found
}

describe('schedules', () => {
  it('tick once on a day whose clock leaves the time out: when it has jumped', () => {
    assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2), [
      '03-29T01:00',
      '03-30T00:30',
    ])
    assert.deepEqual(ticks('30 2 * * *', 'America/New_York', '2026-03-07T12:00Z', 2), [
      '03-08T07:00',
      '03-09T06:30',
    ])
    assert.deepEqual(ticks('0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', 2), [
      '03-29T01:00',
      '03-30T00:00',
    ])
  })

  it('tick once on a day whose clock shows the time twice: the first time', () => {
    assert.deepEqual(ticks('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', 2), [
      '10-25T00:30',
      '10-26T01:30',
    ])
    assert.deepEqual(ticks('30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', 2), [
      '11-01T05:30',
      '11-02T06:30',
    ])
  })

  it('of intervals tick as time passes, whatever the clock shows', () => {
    const hours = ['10-24T23:00', '10-25T00:00', '10-25T01:00', '10-25T02:00']
    assert.deepEqual(ticks('0 * * * *', 'Europe/Berlin', '2026-10-24T22:30Z', 4), hours)
    const halves = ['03-29T00:30', '03-29T01:00', '03-29T01:30']
    assert.deepEqual(ticks('*/30 * * * *', 'Europe/Berlin', '2026-03-29T00:00Z', 3), halves)
  })

  it('know their last ticks, with one of this very moment', () => {
    const at = Date.parse('2026-11-22T10:00:00.000Z')
    assert.deepEqual(schedule('*/5 * * * *').last(2, at), [at - 300_000, at])
    assert.deepEqual(schedule('*/5 * * * *').last(1, at - 1), [at - 300_000])
  })

  it('say which field is wrong, and how', () => {
    const wrong: readonly (readonly [cron: string, message: RegExp])[] = [
      ['', /five fields .* not 0/],
      ['* * * *', /five fields .* not 4/],
      ['61 * * * *', /^minute "61": must be 0 to 59$/],
      ['* 24 * * *', /^hour "24": must be 0 to 23$/],
      ['* * 0 * *', /^day of month "0": must be 1 to 31$/],
      ['* * * 13 *', /^month "13": must be 1 to 12$/],
      ['* * * * 8', /^day of week "8": must be 0 to 7$/],
      ['99 0 * * * *', /^second "99"/],
      ['* a * * *', /^hour "a"/],
      ['? * * * *', /^minute "\?"/],
      ['@reboot', /@hourly/],
      ['0 0 31 2 *', /never comes/],
      ['*/5 * * * * *', /at least 10 seconds/],
      ['* * * * * *', /at least 10 seconds/],
      [`${'1,'.repeat(200)}1 * * * *`, /characters/],
    ]
    for (const [cron, message] of wrong) {
      const read = readSchedule(cron, 'UTC')
      assert.ok(!read.ok, cron)
      assert.equal(read.field, 'cron')
      assert.match(read.message, message)
    }
    for (const zone of ['Mars/Base', '+02:00', '']) {
      const read = readSchedule('@daily', zone)
      assert.equal(read.ok ? undefined : read.field, 'timezone')
    }
    for (const cron of ['@daily', '*/10 * * * * *', '30 7 * * mon-fri', '0 0 L * *']) schedule(cron)
  })
})
