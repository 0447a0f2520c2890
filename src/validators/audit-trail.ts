import { AUDIT_ACTIONS } from '../services/audit-actions.ts';
import { oneOf, optional, text } from './fields.ts';
import { pageFields } from './page.ts';
import { defineInput, type InputOf } from './schema.ts';

export const listAuditInput = defineInput({
  query: {
    ...pageFields,
    action: optional(oneOf(AUDIT_ACTIONS)),
    actor: optional(text({ max: 100 })),
    entityType: optional(text({ max: 100 })),
    entityId: optional(text({ max: 100 })),
  },
});
export type ListAuditInput = InputOf<typeof listAuditInput>;
