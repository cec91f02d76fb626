// The schemas that have a name of their own in /openapi.json.

import type { z } from 'zod'
import { apiKey, auditEntry, createApiKey, createdApiKey, me, tenant, updateTenant } from '../account.ts'
import { agentDefinition } from '../agent.ts'
import { approvalPolicy } from '../approval.ts'
import {
  answerLink,
  approval,
  approvalDetail,
  approvalLink,
  createApprovalLink,
  decideApproval,
  decideEarly,
  earlyDecision,
} from '../approval-resource.ts'
import { job, redriveJobs, redrivenJobs, worker } from '../job.ts'
import { modelCall, modelCallDetail } from '../model-call.ts'
import { problem } from '../problem.ts'
import { versionDiff } from '../resource.ts'
import { ROUTES } from '../routes.ts'
import { replayRun, resolution, run, runEvent, startRun, startWorkflow, step } from '../run.ts'
import { createSession, session, sessionTurn } from '../session.ts'
import { toolDefinition } from '../tool.ts'
import {
  createdTrigger,
  rotatedSecret,
  sendEvent,
  sentEvent,
  trigger,
  triggerChange,
  triggerInput,
} from '../trigger.ts'
import { compensation, nodeTimeout, retryPolicy, workflowDefinition, workflowNode } from '../workflow.ts'

export const COMPONENT_NAMES: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [agentDefinition, 'AgentDefinition'],
  [ROUTES.getAgent.responses[200], 'Agent'],
  [ROUTES.getAgentVersion.responses[200], 'AgentVersion'],
  [toolDefinition, 'ToolDefinition'],
  [ROUTES.getTool.responses[200], 'Tool'],
  [ROUTES.getToolVersion.responses[200], 'ToolVersion'],
  [workflowDefinition, 'WorkflowDefinition'],
  [workflowNode, 'WorkflowNode'],
  [retryPolicy, 'RetryPolicy'],
  [nodeTimeout, 'NodeTimeout'],
  [compensation, 'Compensation'],
  [approvalPolicy, 'ApprovalPolicy'],
  [ROUTES.getWorkflow.responses[200], 'Workflow'],
  [ROUTES.getWorkflowVersion.responses[200], 'WorkflowVersion'],
  [versionDiff, 'VersionDiff'],
  [startRun, 'StartRun'],
  [startWorkflow, 'StartWorkflow'],
  [run, 'Run'],
  [step, 'Step'],
  [runEvent, 'RunEvent'],
  [replayRun, 'ReplayRun'],
  [resolution, 'Resolution'],
  [approval, 'Approval'],
  [approvalDetail, 'ApprovalDetail'],
  [decideApproval, 'DecideApproval'],
  [decideEarly, 'DecideEarly'],
  [earlyDecision, 'EarlyDecision'],
  [createApprovalLink, 'CreateApprovalLink'],
  [approvalLink, 'ApprovalLink'],
  [answerLink, 'AnswerLink'],
  [modelCall, 'ModelCall'],
  [modelCallDetail, 'ModelCallDetail'],
  [createSession, 'CreateSession'],
  [session, 'Session'],
  [sessionTurn, 'SessionTurn'],
  [job, 'Job'],
  [redriveJobs, 'RedriveJobs'],
  [redrivenJobs, 'RedrivenJobs'],
  [worker, 'Worker'],
  [triggerInput, 'TriggerInput'],
  [triggerChange, 'TriggerChange'],
  [trigger, 'Trigger'],
  [createdTrigger, 'CreatedTrigger'],
  [rotatedSecret, 'RotatedSecret'],
  [sendEvent, 'SendEvent'],
  [sentEvent, 'SentEvent'],
  [me, 'Me'],
  [tenant, 'Tenant'],
  [updateTenant, 'UpdateTenant'],
  [createApiKey, 'CreateApiKey'],
  [apiKey, 'ApiKey'],
  [createdApiKey, 'CreatedApiKey'],
  [auditEntry, 'AuditEntry'],
  [problem, 'Problem'],
])
