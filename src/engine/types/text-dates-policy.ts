import type { Policies, ReasonCode } from '../contract.ts';
import { isoText, type DateOrder } from './text-dates.ts';
import type { TextEncoder, TextProblem } from './text-problem.ts';

/** What a policy makes of a text that is no date: NULL, another text for the encoder, or nothing. */
export type DateOutcome =
  | { readonly kind: 'null'; readonly rule: ReasonCode }
  | { readonly kind: 'instead'; readonly rule: ReasonCode; readonly printed: string }
  | { readonly kind: 'problem'; readonly problem: TextProblem };

/** Applies `emptyDate`, `zeroDate`, `partialDate` and `invalidDate` to what a date encoder has refused. */
export function decideOnDate(
  problem: TextProblem,
  request: {
    readonly text: string;
    readonly order: DateOrder;
    readonly policies: Policies;
    readonly encode: TextEncoder;
  },
): DateOutcome {
  const { text, order, policies, encode } = request;
  const rule = problem.reasonCode;
  if (NULLED[rule]?.(policies) === true) return { kind: 'null', rule };
  if (rule === 'ZERO_DATE' && policies.zeroDate === 'sentinel')
    return instead(problem, encode('0001-01-01'));
  if (rule === 'PARTIAL_DATE' && policies.partialDate === 'first')
    return instead(problem, encode(firstDay(isoText(text, order))));
  return { kind: 'problem', problem };
}

const NULLED: Partial<Record<ReasonCode, (policies: Policies) => boolean>> = {
  EMPTY_DATE: ({ emptyDate }) => emptyDate === 'null',
  ZERO_DATE: ({ zeroDate }) => zeroDate === 'null',
  PARTIAL_DATE: ({ partialDate }) => partialDate === 'null',
  INVALID_DATE: ({ invalidDate }) => invalidDate === 'null',
};

function instead(problem: TextProblem, printed: string | TextProblem): DateOutcome {
  if (typeof printed !== 'string') return { kind: 'problem', problem };
  return { kind: 'instead', rule: problem.reasonCode, printed };
}

function firstDay(iso: string): string {
  const [, year = '', month = '', rest = ''] = /^(\d{4})-(\d\d)-\d\d(.*)$/.exec(iso) ?? [];
  return `${year}-${month === '00' ? '01' : month}-01${rest}`;
}
