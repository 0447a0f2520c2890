import { MAX_LENGTHS } from '../models/vocabulary.ts';
import { MAX_PASSWORD_BYTES } from '../services/passwords.ts';
import { oneOf, optional, text, textOfBytes } from './fields.ts';
import { defineInput, type InputOf } from './schema.ts';

export const loginInput = defineInput({
  body: {
    credential: text({ max: MAX_LENGTHS.email }),
    password: textOfBytes(MAX_PASSWORD_BYTES, 'Password'),
    transport: optional(oneOf(['bearer'])),
  },
});
export type LoginInput = InputOf<typeof loginInput>;

const LONGEST_TOKEN = 512;

export const refreshInput = defineInput({ body: { refreshToken: text({ max: LONGEST_TOKEN }) } });
export type RefreshInput = InputOf<typeof refreshInput>;
