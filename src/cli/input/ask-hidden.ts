// A question on the terminal whose answer is not shown while it is typed.

import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CliFailure } from '../cli-failure.ts'
import type { World } from '../world.ts'

export async function askHidden(world: World, question: string): Promise<string> {
  world.stderr.write(question)
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: world.stdin, output: nowhere, terminal: true })
  try {
    const answer = lines.question('')
    const closed = new Promise<never>((_resolve, reject) =>
      lines.once('close', () => reject(new CliFailure('interrupted', 'Nothing was entered.'))),
    )
    return await Promise.race([answer, closed])
  } finally {
    lines.close()
    world.stderr.write('\n')
  }
}
