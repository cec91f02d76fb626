import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTerminal, wrapped } from './terminal.ts'

function open(isTTY: boolean) {
  const written: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk))
      done()
    },
  })
  return {
    terminal: createTerminal(Object.assign(stream, { isTTY, columns: 60 })),
    text: () => written.join(''),
  }
}

describe('the terminal', () => {
  it('in a pipe gets plain lines, each once', async () => {
    const { terminal, text } = open(false)
    await terminal.step('Database', async () => 'made')
    terminal.entry('Answer', `${'word '.repeat(40)}\nnext`)
    terminal.line()
    assert.equal(text(), `  ✔ Database   made\n  Answer     ${'word '.repeat(40)}\n             next\n\n`)
  })

  it('shows a spinner for slow work and takes it away', async () => {
    const { terminal, text } = open(true)
    await terminal.step('Database', async () => {
      await sleep(300)
      return 'made'
    })
    assert.match(text(), /⠋.*Database/)
    const [last = ''] = text().split('\u001b[2K').slice(-1)
    assert.match(last, /^ {2}.*✔.* Database {3}made\n$/)
  })

  it('does not say that work is done that failed', async () => {
    const { terminal, text } = open(false)
    await assert.rejects(terminal.step('Database', () => Promise.reject(new Error('no'))))
    assert.equal(text(), '')
  })

  it('cannot be steered by what an agent says', () => {
    const { terminal, text } = open(true)
    terminal.entry('Answer', 'a\u001b[2Jb\rc')
    assert.match(text(), /a\\u001b\[2Jb\\u000dc\n$/)
  })

  it('cuts lines between words', () => {
    assert.deepEqual(wrapped('one two three', 7), ['one two', 'three'])
    assert.deepEqual(wrapped('averylongword b', 5), ['averylongword', 'b'])
    assert.deepEqual(wrapped('', 5), [''])
  })
})
