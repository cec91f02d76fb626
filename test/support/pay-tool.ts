// A tool that asks a person before it pays.

import type { CodeTool } from '../../src/define/code-tool.ts'
import { defineTool } from '../../src/define/define-tool.ts'

/** Notes the amounts that were paid. */
export function payTool(paid: number[]): CodeTool {
  return defineTool({
    name: 'pay',
    description: 'Pays an amount.',
    input: { type: 'object', properties: { amount: { type: 'number' } }, required: ['amount'] },
    effect: 'once',
    approval: 'always',
    run: async ({ amount }) => {
      paid.push(Number(amount))
      return { paid: true }
    },
  })
}
