// `npm run build`: compiles src/ to dist/, the JavaScript that the package publishes.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
// What an earlier build left must not be published.
rmSync(join(root, 'dist'), { recursive: true, force: true })
const launcher = join(root, 'scripts', 'run.cjs')
const build = ['--exec', 'tsc', '--project', 'tsconfig.build.json']
const { status } = spawnSync(process.execPath, [launcher, ...build], { cwd: root, stdio: 'inherit' })
process.exitCode = status ?? 1
