import type { ColumnEquality } from '../contract.ts';

/** Languages whose own rules a collation of the server follows, as ICU names them. */
const LOCALES: Readonly<Record<string, string>> = {
  danish: 'da',
  swedish: 'sv',
  german2: 'de-u-co-phonebk',
  spanish: 'es',
  spanish2: 'es-u-co-trad',
  turkish: 'tr',
  polish: 'pl',
  czech: 'cs',
  slovak: 'sk',
  slovenian: 'sl',
  croatian: 'hr',
  hungarian: 'hu',
  icelandic: 'is',
  latvian: 'lv',
  lithuanian: 'lt',
  estonian: 'et',
  romanian: 'ro',
  vietnamese: 'vi',
  persian: 'fa',
  esperanto: 'eo',
};

/**
 * How a collation of the server takes two texts for equal, as far as it is not byte by byte: `_bin` and the case-sensitive
 * ones compare so. Names: the manual's pages "Collation Naming Conventions" of both servers.
 */
export function equalityOf(collation: string | null): ColumnEquality | undefined {
  if (!collation?.endsWith('_ci')) return undefined;
  const parts = collation.split('_').slice(1);
  // Of the collations without a word on accents, latin1_general_ci and its like alone tell them apart.
  const isAccentSensitive =
    parts.includes('as') || (/^(?:latin|cp|mac|koi)/.test(collation) && parts.includes('general'));
  const language = parts.find((part) => Object.hasOwn(LOCALES, part));
  const locale = (language === undefined ? undefined : LOCALES[language]) ?? 'und';
  const strength = isAccentSensitive ? 'level2' : 'level1';
  return {
    name: collation,
    icuLocale: locale.includes('-u-') ? `${locale}-ks-${strength}` : `${locale}-u-ks-${strength}`,
    ignoresTrailingSpaces: !parts.includes('nopad') && !parts.includes('0900'),
  };
}
