/** The state as the address's hash: readable, shareable, and never trusted. */
import { nothing, type Scenario } from './model';
import type { Language, Payload } from './payload';
import { METRICS, type Metric } from './state.svelte';

export interface Kept {
  language: Language; theme: 'light' | 'dark'; t: number; metric: Metric; selected: number[]; scenario: Scenario;
}

const PARTS = ['sets', 'values', 'cuts', 'convert'] as const;

export function writeHash(kept: Kept, payload: Payload): string {
  const query = new URLSearchParams();
  query.set('l', kept.language);
  if (kept.theme === 'dark') query.set('d', '1');
  query.set('y', String(payload.years[kept.t]));
  query.set('m', kept.metric);
  if (kept.selected.length) query.set('r', kept.selected.map((r) => payload.regions.codes[r]).join('.'));
  if (kept.scenario.phi !== null) query.set('phi', String(kept.scenario.phi));
  if (kept.scenario.models !== null) query.set('models', kept.scenario.models.join('.'));
  for (const part of PARTS) for (const [key, value] of Object.entries(kept.scenario[part])) query.append(part, `${key}:${value}`);
  return query.toString().replace(/%3A/g, ':').replace(/%2F/g, '/');
}

/** What a hash says, where it fits the study; anything else is left aside. */
export function readHash(hash: string, payload: Payload): Partial<Kept> {
  const query = new URLSearchParams(hash.replace(/^#/, ''));
  const found: Partial<Kept> = {};
  const language = query.get('l');
  if (language === 'en' || language === 'zh') found.language = language;
  if (query.has('d')) found.theme = 'dark';
  const t = payload.years.indexOf(Number(query.get('y')));
  if (t >= 0) found.t = t;
  const metric = query.get('m') as Metric;
  if (METRICS.includes(metric)) found.metric = metric;
  const codes = new Map(payload.regions.codes.map((code, r) => [code, r]));
  found.selected = (query.get('r')?.split('.') ?? []).map((code) => codes.get(code)).filter((r) => r !== undefined);
  found.scenario = readScenario(query, payload);
  return found;
}

function readScenario(query: URLSearchParams, payload: Payload): Scenario {
  const scenario = nothing();
  const phi = Number(query.get('phi'));
  if (query.has('phi') && phi > 0 && phi <= 1) scenario.phi = phi;
  const models = query.get('models')?.split('.').filter((name) => payload.outlook?.models.includes(name));
  if (models?.length) scenario.models = models;
  const pairs = (part: string) => query.getAll(part).map((text) => [text.slice(0, text.lastIndexOf(':')), text.slice(text.lastIndexOf(':') + 1)] as const);
  for (const [family, name] of pairs('sets')) if (payload.alternatives[family]?.some((entry) => entry.set === name)) scenario.sets[family] = name;
  const ids = new Set(payload.parameters.map((parameter) => parameter.id));
  for (const [id, text] of pairs('values')) if (ids.has(id) && text !== '' && Number.isFinite(Number(text))) scenario.values[id] = Number(text);
  const sources = new Set(payload.sources.map((source) => source.key)), classes = new Set(payload.land_classes);
  for (const [key, text] of pairs('cuts')) if (sources.has(key) && share(text) !== null) scenario.cuts[key] = share(text)!;
  for (const [key, text] of pairs('convert')) if (classes.has(key) && share(text) !== null) scenario.convert[key] = share(text)!;
  return scenario;
}

function share(text: string): number | null {
  const value = Number(text);
  return text !== '' && value >= 0 && value <= 1 ? value : null;
}
