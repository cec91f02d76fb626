import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { nextCommands, shortPath } from './next-commands.ts'

const PLACE = { root: '/srv/af', userFolder: '/srv/af', dataDir: '/srv/af/.agent-factory', url: 'http://h:1' }

describe('the commands that are shown', () => {
  let base = ''
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'af-next-'))
  })
  after(() => rmSync(base, { recursive: true }))

  it('are short where the data is in its usual place', () => {
    const [cli, , sdk] = nextCommands(PLACE)
    assert.match(cli ?? '', /^npx agent-factory agent run guide "/)
    assert.equal(sdk, 'node scripts/run.cjs examples/sdk-quickstart.ts')
  })

  it('name the folder where it is another one, and whole paths from another folder', () => {
    const [elsewhere] = nextCommands({ ...PLACE, dataDir: '/tmp/my data' })
    assert.match(elsewhere ?? '', /^AGENT_FACTORY_DATA_DIR='\/tmp\/my data' npx agent-factory agent run/)
    const [far, , sdk] = nextCommands({ ...PLACE, userFolder: '/home/ada' })
    assert.match(
      far ?? '',
      /^AGENT_FACTORY_DATA_DIR=\/srv\/af\/\.agent-factory node \/srv\/af\/bin\/agent-factory\.cjs agent run/,
    )
    assert.match(sdk ?? '', / node \/srv\/af\/scripts\/run\.cjs \/srv\/af\/examples\/sdk-quickstart\.ts$/)
  })

  it('read the key from any folder, also one that a shell would misread', () => {
    const folders = ['.agent-factory', 'my data', "it's", 'a"b', '$HOME`x`']
    for (const name of folders) {
      for (const isAtRoot of [true, false]) {
        const dataDir = join(base, name)
        mkdirSync(dataDir, { recursive: true })
        writeFileSync(join(dataDir, 'credentials.json'), '{"api_key":"af_key"}')
        const userFolder = isAtRoot ? base : dirname(base)
        const [, curl = ''] = nextCommands({ ...PLACE, root: base, userFolder, dataDir })
        // What the shell makes of it, with an `echo` in the place of curl.
        const shown = execFileSync('sh', ['-c', curl.replace(/^curl/, 'echo')], {
          cwd: userFolder,
          encoding: 'utf8',
        })
        assert.match(shown, /authorization: Bearer af_key/, name)
        assert.match(shown, /\{"input": "Which book is about clouds\?"\}/)
      }
    }
  })

  it('shorten only what is inside', () => {
    assert.equal(shortPath('/a', '/a/b/c'), 'b/c')
    assert.equal(shortPath('/a/b', '/a/c'), '/a/c')
  })
})
