/** How fields and records are told apart, in bytes. */
export interface Dialect {
  readonly delimiter: Uint8Array;
  /** −1 = fields are never quoted. */
  readonly quote: number;
  /** Makes a quote inside quotes a character; the quote itself where quotes are doubled. */
  readonly escape: number;
}
