// The files of a new project, as text. A test makes them, runs their test and checks their types.

export interface ProjectNames {
  /** The name in package.json. */
  readonly name: string
  /** Where the project gets this package from: a range of versions, or the folder of a checkout. */
  readonly dependency: string
}

/** Paths in the project, and what stands in each file. */
export function projectFiles({ name, dependency }: ProjectNames): Readonly<Record<string, string>> {
  return {
    'package.json': packageJson(name, dependency),
    'tsconfig.json': TSCONFIG,
    '.gitignore': 'node_modules/\n.agent-factory/\n.env\n',
    '.env.example': ENV_EXAMPLE,
    'README.md': readme(name),
    'tools/opening-hours.ts': TOOL,
    'agents/hello.ts': AGENT,
    'test/hello.test.ts': TEST,
  }
}

function packageJson(name: string, dependency: string): string {
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=24' },
    scripts: {
      dev: 'agent-factory dev',
      start: 'agent-factory serve',
      test: 'node --test "test/**/*.test.ts"',
      types: 'tsc --noEmit',
    },
    dependencies: { 'agent-factory': dependency },
    devDependencies: { '@types/node': '^24.0.0', typescript: '^5.9.0' },
  }
  return `${JSON.stringify(content, undefined, 2)}\n`
}

const TSCONFIG = `{
  "compilerOptions": {
    "target": "es2024",
    "module": "nodenext",
    "types": ["node"],
    "strict": true,
    "noEmit": true,
    "skipLibCheck": true,
    "allowImportingTsExtensions": true,
    "erasableSyntaxOnly": true,
    "verbatimModuleSyntax": true
  },
  "include": ["agents", "tools", "guardrails", "workflows", "test"]
}
`

const ENV_EXAMPLE = `# Copy to .env. Without a key, agents run on the offline model.
# OPENAI_API_KEY=
# ANTHROPIC_API_KEY=
# PORT=8787
`

const TOOL = `import { defineTool } from 'agent-factory/define'

const HOURS: Record<string, string> = {
  monday: 'closed',
  tuesday: '10:00 to 18:00',
  wednesday: '10:00 to 18:00',
  thursday: '10:00 to 20:00',
  friday: '10:00 to 18:00',
  saturday: '10:00 to 16:00',
  sunday: 'closed',
}

/** Without a network and without a key: replace it with a call of your own service. */
export const openingHours = defineTool({
  name: 'opening_hours',
  description: 'When the shop is open on a day of the week.',
  input: {
    type: 'object',
    properties: { day: { type: 'string', enum: Object.keys(HOURS), description: 'The day of the week.' } },
    required: ['day'],
    additionalProperties: false,
  },
  // Calling it again changes nothing, so it may be repeated after a crash.
  effect: 'read',
  run: ({ day }) => ({ day, hours: HOURS[String(day)] ?? 'closed' }),
})
`

const AGENT = `import { defineAgent } from 'agent-factory/define'
import { openingHours } from '../tools/opening-hours.ts'

export const hello = defineAgent({
  name: 'hello',
  description: 'Answers questions about the shop.',
  instructions: 'You answer questions about the shop in one friendly sentence. Look opening hours up before you answer.',
  // Needs no key and no network. With a key: 'openai/gpt-5-mini', 'anthropic/claude-haiku-4-5', …
  model: 'offline/extractive',
  tools: [openingHours],
})
`

const TEST = `import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

const packageFile = createRequire(import.meta.url).resolve('agent-factory/package.json')
const agentFactory = join(dirname(packageFile), 'bin', 'agent-factory.cjs')

test('hello looks the opening hours up', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hello-'))
  try {
    const run = await ask('hello', 'When is the shop open on thursday?', dataDir)
    assert.equal(run.state, 'completed')
    assert.match(run.output, /10:00 to 20:00/)
    assert.equal(run.tool_call_count, 1)
  } finally {
    await rm(dataDir, { recursive: true })
  }
})

/** Asks an agent of this project in a process and a database of its own. */
async function ask(agent: string, question: string, dataDir: string) {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [agentFactory, 'agent', 'run', agent, question, '--local', '--json'],
    { cwd: join(import.meta.dirname, '..'), env: { ...process.env, AGENT_FACTORY_DATA_DIR: dataDir } },
  )
  return JSON.parse(stdout) as { state: string; output: string; tool_call_count: number }
}
`

function readme(name: string): string {
  return `# ${name}

Agents and tools in TypeScript, run by Agent Factory.

\`\`\`
npm install
npm test
npm run dev
\`\`\`

\`npm run dev\` serves the agents on http://127.0.0.1:8787 and loads them again when a file changes. In another terminal:

\`\`\`
npx agent-factory agent run hello "When is the shop open on thursday?"
npx agent-factory run list
\`\`\`

- \`agents/\`: one file for each agent (\`defineAgent\`)
- \`tools/\`: what agents can call (\`defineTool\`)
- \`guardrails/\` and \`workflows/\`: where you need them
- \`test/\`: tests that run an agent on the offline model

To use a real model, copy \`.env.example\` to \`.env\`, put a key in it, and name the model in the agent.
`
}
