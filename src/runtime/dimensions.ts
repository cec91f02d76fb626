// Who and what the costs of a run belong to.

import { type ApiKeyId, isId } from '../base/ids.ts'
import type { Dimensions } from '../contract/money.ts'
import type { RunRow } from './journal/run-store.ts'

type Billed = Pick<
  RunRow,
  'id' | 'kind' | 'definitionId' | 'workflowId' | 'userId' | 'createdBy' | 'projectId'
>

export function dimensionsOf(run: Billed): Dimensions {
  return {
    runId: run.id,
    agentId: run.kind === 'agent' ? run.definitionId : null,
    workflowId: run.workflowId,
    userId: run.userId === '' ? null : run.userId,
    apiKeyId: isId('apiKey', run.createdBy) ? (run.createdBy satisfies ApiKeyId) : null,
    projectId: run.projectId,
  }
}
