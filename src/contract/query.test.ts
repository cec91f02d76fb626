import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { pageQuery } from './fields.ts'
import { encodeQuery, queryCodecOf } from './query.ts'

const schema = pageQuery.extend({ onlyNew: z.boolean().optional(), agentName: z.string().optional() })

describe('a query', () => {
  const decode = (search: string) => queryCodecOf(schema).decode(search)

  it('is read by the types of its schema', () => {
    assert.deepEqual(decode('limit=7&only_new=true&agent_name=12'), {
      ok: true,
      value: { limit: 7, onlyNew: true, agentName: '12' },
    })
    assert.deepEqual(decode(''), { ok: true, value: { limit: 50 } })
  })

  it('is refused by name where it is unknown, given twice or wrong', () => {
    assert.deepEqual(decode('limit=7&limit=8&x=1&only_new=yes&onlyNew=true'), {
      ok: false,
      errors: [
        { path: '/limit', message: 'is given more than once' },
        {
          path: '/x',
          message:
            'is not a known query parameter; allowed here: "limit", "cursor", "only_new", "agent_name"',
        },
        {
          path: '/onlyNew',
          message:
            'is not a known query parameter; allowed here: "limit", "cursor", "only_new", "agent_name"',
        },
        { path: '/only_new', message: 'must be true or false; got "yes"' },
      ],
    })
    assert.deepEqual(decode('limit=1e3'), {
      ok: false,
      errors: [{ path: '/limit', message: 'must be a number; got "1e3"' }],
    })
    assert.deepEqual(decode('limit=0'), {
      ok: false,
      errors: [{ path: '/limit', message: 'must be at least 1; got 0' }],
    })
  })

  it('is written with the names of the wire', () => {
    assert.equal(encodeQuery({ sessionId: 'a b', limit: 2, none: undefined }), '?session_id=a+b&limit=2')
    assert.equal(encodeQuery({}), '')
  })
})
