import { AppError, type ErrorDetails } from '../../../errors/app-error.ts';
import type { ErrorCode } from '../../../errors/codes.ts';

/** What a thread answers once: name → argument and result. Both cross by structured clone. */
export type CallTable<Calls> = {
  readonly [Name in keyof Calls]: { readonly argument: unknown; readonly result: unknown };
};

/** What a thread answers batch by batch. The buffer of `lines` is handed over, not copied. */
export type StreamTable<Streams> = {
  readonly [Name in keyof Streams]: {
    readonly argument: unknown;
    readonly item: { readonly lines: Uint8Array };
  };
};

export type ToThread =
  | {
      readonly kind: 'call' | 'stream';
      readonly id: number;
      readonly name: string;
      readonly argument: unknown;
    }
  /** One more batch may be under way. */
  | { readonly kind: 'credit'; readonly id: number }
  | { readonly kind: 'cancel'; readonly id: number }
  | { readonly kind: 'close' };

export type FromThread =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'batch'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'end'; readonly id: number }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError };

/** Batches on their way to a consumer that has not asked for them yet: with 256 KiB each, 1 MiB a lane. */
export const CREDITS = 3;

/** An error on its way out of a thread: an AppError's class does not survive the crossing, its code and details do. */
export interface WireError {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
}

export function toWire({ code, details }: AppError): WireError {
  return { code, details: JSON.parse(JSON.stringify(details)) as ErrorDetails };
}

export function fromWire({ code, details }: WireError): AppError {
  return new AppError(code, details);
}
