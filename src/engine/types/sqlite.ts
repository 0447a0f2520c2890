import { columnFinding } from './column-finding.ts';
import type { ColumnDecision, Finding } from '../contract.ts';
import { castChoice } from './sqlite-cast.ts';
import { decideDate } from './sqlite-decide-dates.ts';
import {
  chooseNumber,
  decideBoolean,
  decideDecimal,
  decideInteger,
  decideReal,
  widenToText,
} from './sqlite-decide-numbers.ts';
import {
  choose,
  Facts,
  mixture,
  toDecision,
  values,
  type DecisionRequest,
  type TypeChoice,
} from './sqlite-decide.ts';
import { familyOf } from './sqlite-family.ts';

/** Those of which a text that PostgreSQL cannot hold goes by the policies. */
const TEXT_ENCODERS: ReadonlySet<string> = new Set(['text', 'cast']);

/** The PostgreSQL type of a SQLite column: the declaration is a claim, the scan is the fact. Pure. */
export function decideColumn(request: DecisionRequest): ColumnDecision {
  const natural = chooseType(request);
  const choice = request.cast === undefined ? natural : castChoice(request, request.cast, natural);
  return toDecision(
    request,
    choice,
    TEXT_ENCODERS.has(choice.encoder) ? textFindings(request) : [],
  );
}

function chooseType(request: DecisionRequest): TypeChoice {
  const family = familyOf(request.column.declaredType);
  switch (family) {
    case 'integer':
      return decideInteger(request);
    case 'real':
      return decideReal(request);
    case 'decimal':
      return decideDecimal(request);
    case 'boolean':
      return decideBoolean(request);
    case 'date':
    case 'dateTime':
    case 'time':
      return decideDate(request);
    case 'text':
      return decideText(request);
    case 'blob':
      return decideBlob(request);
    case 'any':
      return decideFromData(request);
  }
}

/** Declared as text: SQLite enforces no width, so none is carried over. */
function decideText(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.only('blob')) return choose('bytea', `all ${values(facts.values)} are blobs`);
  const longest = `longest has ${request.scan.maxLength ?? '0'} characters`;
  if (facts.values === 0 || facts.only('text')) return choose('text', longest);
  const numbers = facts.count('integer', 'real');
  const notes = [
    `${mixture(facts)}, ${longest}`,
    ...(numbers > 0 ? ['numbers as SQLite writes them'] : []),
    ...(facts.count('blob') > 0 ? ['blobs where they are UTF-8'] : []),
  ];
  return choose('text', notes.join('; '), { findings: blobFinding(request, facts) });
}

function decideBlob(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.values === 0 || facts.only('blob')) return choose('bytea', mixture(facts));
  if (facts.count('blob') === 0) return decideFromData(request);
  const note = facts.count('text') > 0 ? ', text as its UTF-8 bytes' : '';
  const numbers = facts.count('integer', 'real');
  return choose('bytea', `${mixture(facts)}${note}`, {
    findings: [
      columnFinding(request, {
        severity: 'warning',
        code: 'TYPE_MISMATCH',
        fact: numbers > 0 ? 'integer' : 'text',
        count: numbers + facts.count('text'),
        message:
          numbers > 0
            ? `${mixture(facts)} among blobs: rows with numbers will be rejected`
            : `${values(facts.count('text'), 'text')} among blobs: carried over as UTF-8 bytes`,
      }),
    ],
  });
}

/** No declared type, or one that says nothing: typed from the data alone. */
function decideFromData(request: DecisionRequest): TypeChoice {
  const facts = new Facts(request.scan);
  if (facts.values === 0) return choose('text', 'no values');
  if (facts.only('integer', 'real'))
    return facts.only('real') ? choose('double', mixture(facts)) : chooseNumber(request);
  if (facts.only('blob')) return choose('bytea', mixture(facts));
  if (facts.only('text')) return choose('text', mixture(facts));
  const choice = widenToText(request);
  return { ...choice, findings: [...(choice.findings ?? []), ...blobFinding(request, facts)] };
}

function blobFinding(request: DecisionRequest, facts: Facts): Finding[] {
  const blobs = facts.count('blob');
  if (blobs === 0) return [];
  const outcome =
    request.policies.typeMismatch === 'reject'
      ? 'these rows will be rejected'
      : 'those whose bytes are UTF-8 are stored as text, the rows of the others rejected';
  const message = `${String(blobs)} blobs among text: ${outcome}`;
  return [
    columnFinding(request, { severity: 'warning', code: 'TYPE_MISMATCH', fact: 'blob', message }),
  ];
}

/** Text that PostgreSQL cannot hold as it is. */
function textFindings(request: DecisionRequest): Finding[] {
  const facts = new Facts(request.scan);
  const { nulCharacter, invalidUtf8 } = request.policies;
  const findings: Finding[] = [];
  const nul = facts.count('nul');
  if (nul > 0) {
    const outcome = nulCharacter === 'strip' ? 'the NUL is removed' : 'these rows will be rejected';
    const message = `${values(nul)} with a NUL character: ${outcome}`;
    findings.push(
      columnFinding(request, { severity: 'warning', code: 'TEXT_NUL', fact: 'nul', message }),
    );
  }
  const invalid = facts.count('invalidUtf8');
  if (invalid > 0) {
    const outcome =
      invalidUtf8 === 'cp1252' ? 'read as Windows-1252' : 'these rows will be rejected';
    const message = `${values(invalid)} whose bytes are no valid UTF-8: ${outcome}`;
    findings.push(
      columnFinding(request, {
        severity: 'warning',
        code: 'INVALID_UTF8',
        fact: 'invalidUtf8',
        message,
      }),
    );
  }
  return findings;
}
