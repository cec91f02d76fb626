// `npm run check`: everything a change must pass, in one command. With --static, all but the tests.
// Goes on after a failure, so that one run shows every complaint.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

type Step = { readonly name: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv }

const run = [join(import.meta.dirname, 'run.cjs')]
const bin = [...run, '--exec']
const staticSteps: readonly Step[] = [
  { name: 'format', args: [...bin, 'biome', 'check', '--linter-enabled=false'] },
  { name: 'lint', args: [...bin, 'biome', 'lint', '--error-on-warnings'] },
  { name: 'types', args: [...bin, 'tsc', '--noEmit'] },
  { name: 'dead code', args: [...bin, 'knip'] },
  { name: 'lockfile', args: [...run, 'scripts/check-lockfile.mjs'] },
  {
    name: 'secrets',
    args: [...bin, 'secretlint', '--secretlintignore', '.gitignore', '**/*'],
  },
  { name: 'architecture', args: [...run, '--test', '--test-reporter=dot', 'src/architecture.test.ts'] },
]
const testStep: Step = {
  name: 'tests on SQLite',
  args: [...run, 'scripts/test.ts'],
  env: { TEST_DATABASES: 'sqlite' },
}

const steps = process.argv.includes('--static') ? staticSteps : [...staticSteps, testStep]
const failed = steps.filter((step) => !passes(step)).map(({ name }) => name)
console.log(failed.length === 0 ? `All ${steps.length} checks pass.` : `Failed: ${failed.join(', ')}.`)
process.exitCode = failed.length === 0 ? 0 : 1

function passes({ name, args, env }: Step): boolean {
  console.log(`\n— ${name}`)
  const start = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${status === 0 ? '✔' : '✖'} ${name} (${seconds} s)`)
  return status === 0
}
