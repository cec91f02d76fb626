import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findArithmetic } from './arithmetic.ts'
import { clauses } from './clauses.ts'
import { names, timeZones } from './places.ts'
import { smallTalk } from './small-talk.ts'
import { isMistyped, isSameBeginning } from './spelling.ts'
import { codes, dates, emails, numbers, quotedTexts, urls } from './values.ts'
import { contentStems, stem, words } from './words.ts'

describe('words', () => {
  test('names of tools fall into words; accents and case do not matter', () => {
    assert.deepEqual(words('getOrder_status SÃO'), ['get', 'order', 'status', 'sao'])
  })

  test('forms of a word have one stem', () => {
    for (const forms of [
      ['install', 'installs', 'installed', 'installing', 'installation'],
      ['retry', 'retries', 'retried'],
      ['configure', 'configured', 'configuring'],
      ['run', 'runs', 'running'],
    ]) {
      assert.equal(new Set(forms.map(stem)).size, 1, forms.map(stem).join(' '))
    }
  })

  test('words without meaning are left out', () => {
    assert.deepEqual(contentStems('How do I install it, please?'), ['install'])
  })
})

describe('arithmetic', () => {
  const cases: Readonly<Record<string, string | undefined>> = {
    'What is 12*7?': '12 * 7',
    'what is 15% of 80': '15 / 100 * 80',
    '12 times 7 plus 3': '12 * 7 + 3',
    'the square root of 144 plus 5': 'sqrt(144) + 5',
    '(3 + 4) * 12 / 2': '(3 + 4) * 12 / 2',
    "What's 1,250 * 3 - 7?": '1250 * 3 - 7',
    'divide 100 by 8': '100 / 8',
    'subtract 5 from 20': '20 - 5',
    'what is 10-3': '10 - 3',
    '$20 + $30': '20 + 30',
    '-5 + 3': '-5 + 3',
    'Do you offer 24/7 support?': undefined,
    'see pages 10-20': undefined,
    'since 2026-11-22': undefined,
    'version 3.1.2 of it': undefined,
    'order ORD-1042': undefined,
    'only 42': undefined,
    '12 * (3 + ': undefined,
  }
  for (const [text, expression] of Object.entries(cases)) {
    test(`${text} → ${expression ?? 'nothing'}`, () => assert.equal(findArithmetic(text), expression))
  }

  test('what is found is balanced, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'0123456789+-*/()% .,xsqrt'.split('')), maxLength: 40 }),
        (text) => {
          const found = findArithmetic(text) ?? ''
          assert.equal(found.split('(').length, found.split(')').length)
          assert.doesNotMatch(found, /[+*/^%]\s*$/)
        },
      ),
    )
  })
})

describe('values', () => {
  test('dates, also those with the name of the month', () => {
    assert.deepEqual(dates('from 2026-11-22 to 3 December 2026 or Jan 5th, 2027'), [
      '2026-11-22',
      '2026-12-03',
      '2027-01-05',
    ])
    assert.deepEqual(dates('2026-13-45'), [])
  })

  test('codes, addresses and quotes', () => {
    assert.deepEqual(codes('orders ORD-1042, #77 and run_01h2x'), ['ORD-1042', '77', 'run_01h2x'])
    assert.deepEqual(urls('see https://example.org/a?b=1.'), ['https://example.org/a?b=1'])
    assert.deepEqual(emails('write to ada@example.org!'), ['ada@example.org'])
    assert.deepEqual(quotedTexts('say "one" and “two” and it\'s fine'), ['one', 'two'])
  })

  test('numbers know their neighbours and are no parts of codes', () => {
    assert.deepEqual(numbers('top 3 of ORD-1042, three results'), [
      { value: 3, before: 'top', after: 'of' },
      { value: 3, before: '', after: 'results' },
    ])
  })

  test('names by capitals, else after a preposition', () => {
    assert.deepEqual(names("What's the weather in New York and Rio de Janeiro?"), [
      'New York',
      'Rio de Janeiro',
    ])
    assert.deepEqual(names('is it raining in london today'), ['london'])
    assert.deepEqual(names('Show me order ORD-1042'), [])
  })

  test('time zones, written out or by their city', () => {
    assert.deepEqual(timeZones('time in Europe/Berlin'), ['Europe/Berlin'])
    assert.deepEqual(timeZones('What time is it in New York?'), ['America/New_York'])
    assert.deepEqual(timeZones('the time in UTC'), ['UTC'])
  })
})

describe('clauses', () => {
  const texts = (message: string): readonly string[] => clauses(message).map(({ text }) => text)

  test('questions are told apart, lists are not', () => {
    assert.deepEqual(texts('What is 12*7 and what do the docs say about retries?'), [
      'What is 12*7',
      'what do the docs say about retries',
    ])
    assert.deepEqual(texts('How do I install and configure it?'), ['How do I install and configure it'])
    assert.deepEqual(texts('How do I create and delete a key?'), ['How do I create and delete a key'])
    assert.deepEqual(texts('Compare the weather in Paris and London'), [
      'Compare the weather in Paris and London',
    ])
    assert.deepEqual(texts('What is 3 + 4 and 5 * 6?'), ['What is 3 + 4', '5 * 6'])
    assert.deepEqual(texts('Search for "this and what follows"'), ['Search for "this and what follows"'])
  })

  test('what is only told is known from what is asked, and of too much the asked is kept', () => {
    assert.deepEqual(
      clauses('My parcel is late. Where is it delivered?').map(({ asks }) => asks),
      [false, true],
    )
    const story = Array.from({ length: 20 }, (_, index) => `Chapter ${index} is sad.`).join(' ')
    assert.deepEqual(texts(`${story} Where is order 7?`), ['Where is order 7'])
  })
})

describe('spelling and small talk', () => {
  test('one typing error is forgiven in longer words', () => {
    for (const typed of ['oder', 'ordr', 'ordre', 'orderr', 'ordes'])
      assert.ok(isMistyped(typed, 'order'), typed)
    for (const typed of ['order', 'border', 'odre', 'orders1']) assert.ok(!isMistyped(typed, 'order'), typed)
    assert.ok(!isMistyped('kex', 'key') && !isMistyped('1003', '1002'))
    assert.ok(isSameBeginning('authentic', 'authenticate') && !isSameBeginning('post', 'postgres'))
  })

  test('greetings are known in several languages, questions are no greetings', () => {
    for (const text of ['Hi there!', 'Bonjour', '你好', 'help', 'What can you do?'])
      assert.equal(smallTalk(text), 'greeting', text)
    assert.equal(smallTalk('Thank you so much!'), 'thanks')
    assert.equal(smallTalk('bye'), 'farewell')
    for (const text of ['help me cancel a run', 'test a tool', '???', 'hello world example'])
      assert.equal(smallTalk(text), undefined, text)
  })
})

test('no text takes long to read', () => {
  const startedAt = performance.now()
  for (const part of ['a ', '1+', '((', '" ', 'A.', '- ', '<a', 'in a ', '1-2-', "'a", 'x@', 'New York ']) {
    const text = part.repeat(20_000)
    for (const read of [
      findArithmetic,
      clauses,
      names,
      timeZones,
      codes,
      dates,
      emails,
      numbers,
      quotedTexts,
      urls,
      smallTalk,
    ])
      read(text.slice(0, 8_000))
  }
  assert.ok(performance.now() - startedAt < 3_000, `${performance.now() - startedAt} ms`)
})
