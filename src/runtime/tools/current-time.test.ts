import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { currentTime } from './current-time.ts'
import { testContext } from './test-context.ts'

describe('current_time', () => {
  const tell = (input: { time_zone?: string }) => currentTime.call(input, {}, testContext())

  it('tells the time in UTC', async () => {
    assert.deepEqual(await tell({}), {
      time: '2026-07-01T12:30:05+00:00',
      utc: '2026-07-01T12:30:05.000Z',
      weekday: 'Wednesday',
      offset: '+00:00',
      time_zone: 'UTC',
    })
  })

  it('tells the time in a zone, with summer time and broken offsets', async () => {
    assert.deepEqual(await tell({ time_zone: 'Europe/Berlin' }), {
      time: '2026-07-01T14:30:05+02:00',
      utc: '2026-07-01T12:30:05.000Z',
      weekday: 'Wednesday',
      offset: '+02:00',
      time_zone: 'Europe/Berlin',
    })
    const kathmandu = await tell({ time_zone: 'Asia/Kathmandu' })
    assert.match(JSON.stringify(kathmandu), /18:15:05\+05:45/)
  })

  it('says which zone may have been meant', async () => {
    await assert.rejects(tell({ time_zone: 'new york' }), /did you mean "America\/New_York"/)
    await assert.rejects(
      tell({ time_zone: 'Mars/Base' }),
      /There is no time zone "Mars\/Base": use a name such as/,
    )
  })
})
