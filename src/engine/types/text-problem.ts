import type { ReasonCode } from '../contract.ts';

/** Why a text is no value of a type. */
export interface TextProblem {
  readonly reasonCode: ReasonCode;
  readonly message: string;
}

/** A text as PostgreSQL prints the value that it stands for, or why it stands for none. */
export type TextEncoder = (text: string) => string | TextProblem;

/** The text itself is kept out of the message: it may be a secret, and the reject holds it anyway. */
export function notOfType(text: string, targetType: string): TextProblem {
  return {
    reasonCode: 'TYPE_MISMATCH',
    message: `A text of ${countCharacters(text)} does not fit ${targetType}`,
  };
}

export function beyondType(text: string, targetType: string): TextProblem {
  return {
    reasonCode: 'OUT_OF_RANGE',
    message: `A text of ${countCharacters(text)} is out of range for ${targetType}`,
  };
}

function countCharacters(text: string): string {
  return text.length === 1 ? '1 character' : `${String(text.length)} characters`;
}
