import { createHash, createPublicKey } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { canonicalJson } from '../src/engine/canonical-json.ts';
import {
  fingerprintOf,
  hashCertificate,
  isSigned,
  type SignedCertificate,
} from '../src/services/certificate-signature.ts';

const USAGE = `Usage: npm run certificate:verify -- FILE [--key KEY] [--audit EXPORT]

  FILE      what GET /migration-jobs/:id/certificate gave
  --key     the hub's public key, as "npm run certificate:key" prints it: a PEM file, or its fingerprint
  --audit   what GET /audit-trail/export gave: the certificate must be in its chain, and the chain whole

Needs no database and no network. Exit code 0: genuine, and the migration passed. 1: not genuine. 2: it could not be
checked. 3: genuine, but it says that the migration did not pass.
`;

/** The members of a certificate that are shown or checked. Everything else is covered by the signature all the same. */
interface Certificate {
  readonly issuedAt: string;
  readonly job: { readonly id: string; readonly name: string };
  readonly planHash: string;
  readonly consistency: { readonly reached: string };
  readonly verification: { readonly mode: string; readonly status: string };
  readonly tables: readonly {
    readonly source: string;
    readonly rowsRead: number;
    readonly rowsCopied: number;
    readonly rowsRejected: number;
    readonly verdict: string;
  }[];
}

class NotGenuine extends Error {}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const { message } = error as Error;
    process.stdout.write(
      error instanceof NotGenuine ? `NOT GENUINE  ${message}\n` : `error  ${message}\n`,
    );
    process.exitCode = error instanceof NotGenuine ? 1 : 2;
  },
);

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' }, audit: { type: 'string' } },
  });
  const [file, ...others] = positionals;
  if (file === undefined || others.length > 0) {
    process.stderr.write(USAGE);
    return 2;
  }
  const signed = readCertificate(file);
  const certificate = signed.certificate as Certificate;
  print('certificate', `of job ${certificate.job.id}, issued ${certificate.issuedAt}`);

  if (!isSigned(signed)) throw new NotGenuine('it is not what was signed');
  print('signature', 'ok (Ed25519)');
  checkKey(signed.signature.publicKey, values.key);
  await checkAudit(signed.certificate, values.audit);
  checkSums(certificate);
  return printVerdict(certificate);
}

function readCertificate(file: string): SignedCertificate {
  const text = readFileSync(file, 'utf8');
  const value = JSON.parse(text) as Partial<SignedCertificate> | null;
  const { certificate, signature } = value ?? {};
  const isComplete =
    typeof certificate === 'object' &&
    Array.isArray((certificate as Partial<Certificate> | null)?.tables) &&
    signature?.algorithm === 'Ed25519' &&
    typeof signature.publicKey === 'string' &&
    typeof signature.value === 'string';
  if (!isComplete) throw new Error(`${file} is no certificate of a Legacy Migration Hub`);
  // Only the last of two members of one name is read here, and so signed; another reader may show the first.
  if (countWrittenMembers(text) !== countMembers(value))
    throw new NotGenuine('it has a member twice');
  return value as SignedCertificate;
}

/** Strings with a colon behind them. */
function countWrittenMembers(json: string): number {
  const strings = json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs);
  return [...strings].filter(([, colon]) => colon !== undefined).length;
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((sum, member) => sum + countMembers(member), own);
}

function checkKey(publicKey: string, expected: string | undefined): void {
  const fingerprint = fingerprintOf(publicKey);
  if (expected === undefined) {
    print('key', `${fingerprint}: give --key to know whose it is`);
    return;
  }
  if (fingerprint !== readFingerprint(expected))
    throw new NotGenuine(`it is signed with another key, ${fingerprint}`);
  print('key', `ok, ${fingerprint}`);
}

/** @param expected a fingerprint, or a PEM file */
function readFingerprint(expected: string): string {
  if (/^[0-9a-f]{64}$/i.test(expected)) return expected.toLowerCase();
  const key = createPublicKey(readFileSync(expected, 'utf8'));
  return fingerprintOf(key.export({ format: 'der', type: 'spki' }).toString('base64'));
}

interface AuditLine {
  readonly seq: number | null;
  readonly action: string;
  readonly prevHash: string | null;
  readonly hash: string | null;
  readonly detail: { readonly certificateSha256?: string } | null;
}

/** Follows the chain of the export, and looks for the certificate in it. */
async function checkAudit(certificate: object, file: string | undefined): Promise<void> {
  if (file === undefined) {
    print('audit', 'not compared: give --audit to look for it in the audit trail');
    return;
  }
  const wanted = hashCertificate(certificate);
  let prevHash = '0'.repeat(64);
  let seq = 0;
  let found: number | null = null;
  for await (const text of createInterface({ input: createReadStream(file, 'utf8') })) {
    const line = JSON.parse(text) as AuditLine;
    if (line.seq === null) continue;
    seq += 1;
    if (line.seq !== seq || line.prevHash !== prevHash || line.hash !== hashLine(line))
      throw new NotGenuine(`the audit trail is broken at ${String(seq)}`);
    prevHash = line.hash;
    if (line.action === 'job.certificate' && line.detail?.certificateSha256 === wanted) found = seq;
  }
  if (found === null) throw new NotGenuine('the audit trail does not know it');
  print('audit', `ok, entry ${String(found)} of ${String(seq)}`);
}

function hashLine({ hash: _hash, prevHash, ...row }: AuditLine): string {
  return createHash('sha256')
    .update(prevHash ?? '')
    .update(canonicalJson(row))
    .digest('hex');
}

function checkSums({ tables }: Certificate): void {
  const off = tables.filter(
    ({ rowsRead, rowsCopied, rowsRejected }) => rowsRead !== rowsCopied + rowsRejected,
  );
  if (off.length > 0)
    throw new NotGenuine(`rows do not add up in ${off.map(({ source }) => source).join(', ')}`);
}

function printVerdict({ verification, consistency, tables, planHash }: Certificate): number {
  const sum = (name: 'rowsRead' | 'rowsCopied' | 'rowsRejected'): string =>
    tables.reduce((total, table) => total + table[name], 0).toLocaleString('en');
  const passed = tables.filter(({ verdict }) => verdict === 'passed').length;
  print('plan', planHash);
  print('consistency', consistency.reached);
  print(
    'rows',
    `${sum('rowsRead')} read = ${sum('rowsCopied')} copied + ${sum('rowsRejected')} rejected`,
  );
  print('tables', `${String(passed)} of ${String(tables.length)} passed (${verification.mode})`);
  const hasPassed = verification.status === 'passed' && passed === tables.length;
  print('GENUINE', hasPassed ? 'the migration passed' : `verification: ${verification.status}`);
  return hasPassed ? 0 : 3;
}

function print(label: string, text: string): void {
  process.stdout.write(`${label.padEnd(12)} ${text}\n`);
}
