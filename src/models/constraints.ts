/** What a client is told when a constraint refuses its input: never the constraint's own name or detail, which hold columns and values. */
export interface ConstraintField {
  /** For a person. */
  readonly entity: string;
  /** As the API names it. */
  readonly field: string;
}

/** Unique constraint → what exists already. One that is missing here is not a client's doing: answer 500. */
export const UNIQUE_CONSTRAINTS: Readonly<Record<string, ConstraintField>> = {
  users_email_key: { entity: 'User', field: 'email' },
  users_username_key: { entity: 'User', field: 'username' },
  connections_name_key: { entity: 'Connection', field: 'name' },
};

/** Foreign key → what does not exist (on a write), or what is still in use and by what (on a delete). */
export const FOREIGN_KEYS: Readonly<Record<string, ConstraintField & { readonly user: string }>> = {
  migration_jobs_source_id_fkey: {
    entity: 'Connection',
    field: 'sourceId',
    user: 'a migration job',
  },
  migration_jobs_target_id_fkey: {
    entity: 'Connection',
    field: 'targetId',
    user: 'a migration job',
  },
};
