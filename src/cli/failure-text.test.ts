import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AppError } from '../base/errors.ts'
import { ApiError, ConnectionError } from '../sdk/api-error.ts'
import { CliFailure, usage } from './cli-failure.ts'
import { exitCodeOf } from './exit-code.ts'
import { causeLines, failureText } from './failure-text.ts'

function api(
  code: ApiError['code'],
  status: number,
  message: string,
  errors: ApiError['errors'] = [],
): ApiError {
  return new ApiError({ code, status, message, errors, requestId: 'req_1', retryAfterMs: undefined })
}

describe('failures', () => {
  it('are one line that says what to do', () => {
    assert.match(
      failureText(api('auth.invalid', 401, 'The key is not known.')),
      /not known\. Give a key with --api-key/,
    )
    assert.match(failureText(api('agent.not-found', 404, 'No agent.')), /"agent-factory agent list"/)
    assert.match(failureText(new ConnectionError('The connection failed.')), /agent-factory serve/)
    assert.equal(failureText(api('internal', 500, 'It failed.')), 'It failed. (request req_1)')
    const errors = [
      { path: '/name', message: 'is wrong' },
      { path: '/model', message: 'is\nmissing' },
    ]
    assert.equal(
      failureText(api('definition.invalid', 422, 'Not right:', errors)),
      'Not right: /name is wrong; /model is missing',
    )
    assert.equal(failureText(new AppError('settings.invalid', 'A\nB')), 'A B')
    assert.equal(failureText(api('internal', 500, 'x\u001b[2Jy\r\nz')).includes('\u001b'), false)
  })

  it('have exit codes by their kind', () => {
    const codes = [
      usage('x'),
      new CliFailure('interrupted', 'x'),
      api('run.not-found', 404, ''),
      api('auth.missing', 401, ''),
      api('access.denied', 403, ''),
      api('limit.money', 402, ''),
      api('definition.invalid', 422, ''),
      new ConnectionError('x'),
      new Error('x'),
    ].map(exitCodeOf)
    assert.deepEqual(codes, [2, 130, 3, 4, 4, 5, 1, 1, 1])
  })

  it('show their causes to those who debug', () => {
    const lines = causeLines(new CliFailure('failed', 'outer', { cause: new Error('inner\u001b') }))
    assert.match(lines.join('\n'), /outer[\s\S]*inner\\u001b/)
  })
})
