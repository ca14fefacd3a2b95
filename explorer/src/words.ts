/** The page's words in both languages, and numbers as they are written in each. */
import messages from './messages.json';
import type { Language } from './payload';

export type Key = keyof typeof messages;

export function say(language: Language, key: Key, values: Record<string, string | number> = {}): string {
  return messages[key][language].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A word of the data: ours in the reader's language, a user's own as it stands. */
export function word(language: Language, text: string): string {
  const key = `word.${text}`;
  return key in messages ? messages[key as Key][language] : text.replace(/_/g, ' ');
}

const LOCALE: Record<Language, string> = { en: 'en', zh: 'zh-CN' };
const PREFIXES: [number, string][] = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']];
const NONE = '—';
const cache = new Map<string, Intl.NumberFormat>();

function formatter(language: Language, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = language + JSON.stringify(options);
  if (!cache.has(key)) cache.set(key, new Intl.NumberFormat(LOCALE[language], options));
  return cache.get(key)!;
}

/** A plain number with some significant digits. */
export function number(language: Language, value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const whole = Math.abs(value) >= 10 ** digits;
  return formatter(language, whole ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits }).format(value);
}

/** A quantity with its unit, short: 1.42 Gt C/yr · 14.2亿 t C/a. */
export function quantity(language: Language, value: number, unit: string, digits = 3): string {
  if (!Number.isFinite(value)) return NONE;
  if (unit === '1' || unit === '') return number(language, value, digits);
  if (unit === '%') return `${number(language, value, digits)} %`;
  const text = unitText(language, unit);
  if (language === 'zh') return `${formatter('zh', { notation: 'compact', maximumSignificantDigits: digits }).format(value)} ${text}`;
  if (unit.startsWith('t')) {
    const [size, prefix] = PREFIXES.find(([limit]) => Math.abs(value) >= limit) ?? [1, ''];
    return `${number('en', value / size, digits)} ${prefix}${text}`;
  }
  return `${formatter('en', { notation: 'compact', compactDisplay: 'short', maximumSignificantDigits: digits }).format(value)} ${text}`;
}

export const percent = (language: Language, value: number, digits = 3): string =>
  Number.isFinite(value) ? `${number(language, value, digits)} %` : NONE;

/** A unit as it is printed: t C / yr → t C/yr, in Chinese t C/a. */
export function unitText(language: Language, unit: string): string {
  const text = unit === '1' ? '' : unit.replace(/ \/ /g, '/').replace(/O2/g, 'O₂').replace(/\bm3\b/g, 'm³');
  if (language === 'en') return text;
  return text.replace(/\/yr/g, '/a').replace(/person/g, '人').replace(/\bha\b/g, 'hm²');
}
