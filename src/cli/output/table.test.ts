import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createChannel } from './channel.ts'
import { type Column, tableLines } from './table.ts'
import { cut, widthOf } from './width.ts'

interface Row {
  readonly id: string
  readonly text: string
}

const ID = 'run_01m81s390r9vrgz64tf5y4mp6q'
const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', value: ({ id }) => id, keep: true },
  { title: 'TEXT', value: ({ text }) => text },
  { title: 'MORE', value: () => 'something that may be missing', optional: true },
]

function lines(columns: number | undefined, rows: readonly Row[]): readonly string[] {
  const sink = columns === undefined ? {} : { isTTY: true, columns }
  return tableLines(createChannel({ ...sink, write: () => undefined }, false, undefined), COLUMNS, rows)
}

describe('a table', () => {
  it('in a pipe is aligned and never cut', () => {
    const [title, one, two] = lines(undefined, [
      { id: ID, text: 'short' },
      { id: 'run_2', text: 'x'.repeat(300) },
    ])
    assert.equal(title, `ID${' '.repeat(30)}TEXT${' '.repeat(298)}MORE`)
    assert.equal(one, `${ID}  short${' '.repeat(297)}something that may be missing`)
    assert.match(two ?? '', /^run_2 {27}x{300} {2}something/)
  })

  it('on a terminal fits, and ids are whole', () => {
    for (const columns of [120, 80, 60, 45]) {
      for (const line of lines(columns, [{ id: ID, text: 'word '.repeat(60) }]))
        assert.ok(widthOf(line) <= columns, `${columns}: ${line}`)
      assert.match(lines(columns, [{ id: ID, text: 'word '.repeat(60) }])[1] ?? '', new RegExp(`^${ID} `))
    }
    assert.equal(lines(10, [{ id: ID, text: 'x' }])[1]?.slice(0, ID.length), ID)
  })

  it('has one line for each item, whatever is in it', () => {
    assert.equal(lines(undefined, [{ id: ID, text: 'a\nb\u001b[1mc' }])[1]?.includes('a b\\u001b[1mc'), true)
  })

  it('counts wide characters as two columns', () => {
    assert.equal(widthOf('日本'), 4)
    assert.equal(widthOf('é🙂'), 3)
    assert.equal(cut('日本語', 5), '日本…')
    assert.equal(widthOf(lines(45, [{ id: ID, text: '日本語'.repeat(20) }])[1] ?? '') <= 45, true)
  })
})
