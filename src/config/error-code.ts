/**
 * The `code` of an error of Node or of a driver, such as `ENOENT` or a SQLSTATE. It does not ask
 * whether the value is an Error: Node's own errors are of another realm where modules run in a `vm`
 * context, as they do under Jest, and `instanceof` denies them there.
 */
export function findErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
