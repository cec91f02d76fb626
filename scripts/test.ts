// `npm test`: runs the tests in one process, with the shared services of test/setup.ts.
// Arguments are files or patterns instead of all tests, or options of `node --test` (with a =).
import { createRequire } from 'node:module'

const TEST_MS_MAX = 240_000
const ALL = ['src/**/*.test.ts', 'test/**/*.test.ts']

const given = process.argv.slice(2)
const options = given.filter((argument) => argument.startsWith('-'))
const files = given.filter((argument) => !argument.startsWith('-'))
const flags = [
  '--test',
  // One process for all files: a process for each costs 0.2 s a file.
  '--test-isolation=none',
  // A test that leaves a timer or a socket open would otherwise keep the run from ending.
  '--test-force-exit',
  `--test-timeout=${TEST_MS_MAX}`,
  '--test-reporter=spec',
  '--test-global-setup=test/setup.ts',
]

// The launcher passes signals on, so that a run which is stopped still stops its services.
const launcher = createRequire(import.meta.url)('./run.cjs') as { runNode: (args: string[]) => void }
launcher.runNode([...flags, ...options, ...(files.length > 0 ? files : ALL)])
