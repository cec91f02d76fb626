// Keeps the folders of src in order: who may import whom, and the rules of style that a machine can check.
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  constructComplaints,
  cycleComplaints,
  folderComplaints,
  type House,
  nameComplaints,
  nodeComplaints,
  sizeComplaints,
} from '../test/support/architecture-rules.ts'
import { readSourceFile } from '../test/support/source-file.ts'

const HOUSE: House = {
  folders: [
    'cli',
    'app',
    'api',
    'compliance',
    'operations',
    'research',
    'insight',
    'money',
    'runtime',
    'catalog',
    'identity',
    'models',
    'queue',
    'events',
    'storage',
    'outbound',
    'sandbox',
    'sdk',
    'define',
    'contract',
    'base',
  ],
  publicDoors: ['src/index.ts', 'src/sdk.ts', 'src/define.ts'],
  doors: [],
  narrow: [
    {
      // Commands speak to the server as any client does; only those that are the server may build it.
      folder: 'cli',
      to: ['app/settings.ts', 'app/package-version.ts', 'sdk', 'define', 'contract', 'base'],
      // local-server.ts answers the other commands in process where no server runs.
      except: ['serve.ts', 'dev.ts', 'worker.ts', 'db.ts', 'doctor.ts', 'local-server.ts'],
    },
  ],
  withoutNode: ['sdk', 'define', 'contract', 'base'],
  environmentFile: 'src/app/settings.ts',
}

describe('the architecture', () => {
  const root = join(import.meta.dirname, '..')
  const paths = globSync('src/**/*.ts', { cwd: root }).map((path) => path.replaceAll('\\', '/'))
  const files = paths.toSorted().map((path) => readSourceFile(path, readFileSync(join(root, path), 'utf8')))

  it('imports go down the list of folders', () => assert.deepEqual(folderComplaints(HOUSE, files), []))
  it('no file imports itself through others', () => assert.deepEqual(cycleComplaints(files), []))
  it('files are short', () => assert.deepEqual(sizeComplaints(files), []))
  it('names say what is inside', () => assert.deepEqual(nameComplaints(files), []))
  it('refused constructs are not used', () => assert.deepEqual(constructComplaints(HOUSE, files), []))
  it('portable folders import nothing of Node', () => assert.deepEqual(nodeComplaints(HOUSE, files), []))
})

describe('the rules of the architecture', () => {
  const file = (path: string, ...lines: string[]) => readSourceFile(path, lines.join('\n'))
  const imports = (path: string, ...targets: string[]) =>
    file(path, ...targets.map((target) => `import { x } from '${target}'`))

  it('lets a file import its own folder and those further down', () => {
    const files = [imports('src/money/rating.ts', './price.ts', '../base/money.ts', 'zod', 'node:fs')]
    assert.deepEqual(folderComplaints(HOUSE, files), [])
  })

  it('refuses an import upwards, whatever its form', () => {
    const files = [
      file(
        'src/money/rating.ts',
        "import type { A } from '../runtime/../api/a.ts'",
        "export { b } from '../api/b.ts'",
        "type C = import('../api/c.ts').C",
        "const d = await import('../api/d.ts')",
      ),
    ]
    assert.deepEqual(folderComplaints(HOUSE, files), [
      'src/money/rating.ts:1: money may not import src/api/a.ts',
      'src/money/rating.ts:2: money may not import src/api/b.ts',
      'src/money/rating.ts:3: money may not import src/api/c.ts',
      'src/money/rating.ts:4: money may not import src/api/d.ts',
    ])
  })

  it('refuses unknown folders, the root of src, and imports out of src', () => {
    const files = [
      imports('src/stuff/a.ts'),
      imports('src/other.ts'),
      imports('src/base/a.ts', '../../test/support/postgres.ts', '../index.ts'),
    ]
    assert.deepEqual(folderComplaints(HOUSE, files), [
      'src/stuff/a.ts: "stuff" is not a folder of the house',
      'src/other.ts: "" is not a folder of the house',
      'src/base/a.ts:1: base may not import test/support/postgres.ts',
      'src/base/a.ts:2: base may not import src/index.ts',
    ])
  })

  it('lets tests and the public doors import anything', () => {
    const files = [imports('src/base/a.test.ts', '../api/a.ts'), imports('src/index.ts', './api/a.ts')]
    assert.deepEqual(folderComplaints(HOUSE, files), [])
  })

  it('opens a named door, and only that one', () => {
    const house: House = { ...HOUSE, doors: [{ from: 'base', to: 'api/a.ts', why: 'to show it' }] }
    const files = [imports('src/base/a.ts', '../api/a.ts', '../api/b.ts')]
    assert.deepEqual(folderComplaints(house, files), ['src/base/a.ts:2: base may not import src/api/b.ts'])
  })

  it('keeps commands to the client library, except those that are the server', () => {
    const targets = ['../app/settings.ts', '../sdk/client.ts', '../app/compose.ts']
    const files = [imports('src/cli/runs.ts', ...targets), imports('src/cli/serve.ts', ...targets)]
    assert.deepEqual(folderComplaints(HOUSE, files), [
      'src/cli/runs.ts:3: cli may not import src/app/compose.ts',
    ])
  })

  it('tells a cycle once, by types too', () => {
    const files = [
      file('src/a/one.ts', "import type { x } from './two.ts'"),
      imports('src/a/two.ts', './three.ts'),
      imports('src/a/three.ts', './one.ts'),
      imports('src/a/four.ts', './two.ts'),
    ]
    assert.deepEqual(cycleComplaints(files), [
      'cycle: src/a/one.ts → src/a/two.ts → src/a/three.ts → src/a/one.ts',
    ])
  })

  it('refuses a file of more than 500 lines', () => {
    const lines = (count: number) => Array.from({ length: count }, () => '//')
    assert.deepEqual(sizeComplaints([file('src/a/b.ts', ...lines(500))]), [])
    assert.deepEqual(sizeComplaints([file('src/a/b.ts', ...lines(501))]), [
      'src/a/b.ts: 501 lines, the most is 500',
    ])
  })

  it('refuses drawers and other cases in names', () => {
    const names = [
      'helpers/a',
      'a/run-utils',
      'a/types',
      'a/runStore',
      'a/event-types',
      'a/run.test',
      'a/run',
    ]
    const complaints = nameComplaints(names.map((name) => file(`src/${name}.ts`)))
    assert.deepEqual(complaints, [
      'src/helpers/a.ts: "helpers" does not say what is inside',
      'src/a/run-utils.ts: "run-utils" does not say what is inside',
      'src/a/types.ts: types belong beside what they describe',
      'src/a/runStore.ts: not kebab-case',
    ])
  })

  it('refuses constructs, but not words that look like them', () => {
    const files = [
      file(
        'src/a/b.ts',
        "const a = 'any enum namespace export * process.env' // : any, as any",
        'let b: any = a as any',
        'enum C { D }',
        'namespace E {}',
        "export * from './f.ts'",
        'const g = process.env.G',
        'const { env } = process',
        "import { env as h } from 'node:process'",
        'declare global { interface Any {} }',
      ),
      file('src/app/settings.ts', 'export const environment = process.env'),
      file('src/a/b.test.ts', 'process.env.A = 1'),
    ]
    const expected = ['2: any', '2: any', '3: enum', '4: namespace', '5: export *']
    const environment = ['6: environment', '7: environment', '8: environment']
    assert.deepEqual(
      constructComplaints(HOUSE, files),
      [...expected, ...environment].map((complaint) => `src/a/b.ts:${complaint}`),
    )
  })

  it('refuses an inner barrel, not a public door', () => {
    const lines = ["export { a } from './a.ts'", "export type { B } from './b.ts'"]
    const files = [file('src/api/index.ts', ...lines), file('src/index.ts', ...lines)]
    assert.deepEqual(constructComplaints(HOUSE, files), ['src/api/index.ts: an inner barrel'])
  })

  it('refuses Node in a portable folder', () => {
    const files = [imports('src/sdk/a.ts', 'node:fs'), imports('src/api/a.ts', 'node:fs')]
    assert.deepEqual(nodeComplaints(HOUSE, files), ['src/sdk/a.ts:1: node:fs does not exist in a browser'])
  })
})
