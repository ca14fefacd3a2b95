/** The one state that all views look at: what is selected, when, which quantity, under which assumptions. */
import { post, type Clusters } from './api';
import { balanceClasses, gapClasses, quantityClasses, type Classes } from './classes';
import { outlines } from './geometry';
import { readHash, writeHash } from './hash';
import { differs, Model, nothing, type Outcome, type Scenario, type Target } from './model';
import { clustersOf, links, moran, type Links, type Moran } from './moran';
import { floats, numbers, type Encoded, type Language, type Payload } from './payload';
import { number, percent, quantity, say, unitText, word, type Key } from './words';

export const METRICS = ['carbon_balance', 'oxygen_balance', 'carbon_emission', 'carbon_sequestration', 'oxygen_consumption', 'oxygen_release'] as const;
export type Metric = (typeof METRICS)[number];
const UNITS: Record<Metric, string> = {
  carbon_balance: '1', oxygen_balance: '1', carbon_emission: 't C / yr', carbon_sequestration: 't C / yr',
  oxygen_consumption: 't O2 / yr', oxygen_release: 't O2 / yr',
};
export const VARIABLE: Record<Target, string> = { carbon: 'carbon_balance_coefficient', oxygen: 'oxygen_balance_coefficient' };

export interface Tip { x: number; y: number; title: string; lines: [string, string][] }
/** A number whose origin is shown: what it is of, for which regions, and when. */
export type Origin =
  | { of: 'balance'; target: Target; regions: number[]; t: number }
  | { of: 'total'; metric: Exclude<Metric, 'carbon_balance' | 'oxygen_balance'>; regions: number[]; t: number }
  | { of: 'source'; target: Target; part: number; r: number; t: number | 'target' }
  | { of: 'class'; target: Target; part: number; r: number; t: number }
  | { of: 'gap' | 'needed' | 'standard' | 'burden'; target: Target; r: number }
  | { of: 'activity'; part: number; r: number }
  | { of: 'moran'; target: Target; t: number }
  | { of: 'parameter'; id: string };

export class Explorer {
  readonly payload: Payload;
  readonly model: Model;
  readonly study: Outcome;
  readonly paths: string[];
  readonly links: Links | null;
  private readonly clusterCodes: Uint8Array | null;
  private readonly pseudo: Uint16Array | null;
  private readonly intervalValues: Record<'balance' | 'gap', Record<Target, Float64Array>>;
  private readonly classesOf = new Map<Metric, Classes>();
  readonly gapClasses = gapClasses();

  language = $state<Language>('en');
  theme = $state<'light' | 'dark'>('light');
  t = $state(0);
  metric = $state<Metric>('carbon_balance');
  selected = $state.raw<ReadonlySet<number>>(new Set());
  hover = $state<number | null>(null);
  scenario = $state.raw<Scenario>(nothing());
  tip = $state.raw<Tip | null>(null);
  origin = $state.raw<Origin[]>([]);
  drawer = $state(false);
  tool = $state<'rectangle' | 'lasso'>('rectangle');
  /** on a touch screen a drag scrolls, until the reader takes up the brush */
  touchBrush = $state(false);
  playing = $state(false);
  live = $state(false);
  message = $state('');
  permuted = $state.raw<{ of: Moran; clusters: string[] } | null>(null);
  /** what the server's Python found for the values that are shown, if a server is there */
  tested = $state.raw<(Clusters & { values: Float64Array }) | null>(null);

  readonly outcome: Outcome = $derived.by(() => this.model.evaluate(this.scenario));
  readonly changed = $derived.by(() => differs(this.scenario));
  /** whether the accounts themselves change, and not only what is made of the target year */
  readonly accountsChanged = $derived.by(() => Object.keys(this.scenario.sets).length + Object.keys(this.scenario.values).length > 0);
  readonly target: Target = $derived.by(() => (this.metric.startsWith('oxygen') ? 'oxygen' : 'carbon'));
  readonly year = $derived.by(() => this.payload.years[this.t]!);
  readonly values: Float64Array = $derived.by(() => this.at(this.metric, this.t));
  readonly classes: Classes = $derived.by(() => this.metricClasses(this.metric));
  readonly moran: Moran | null = $derived.by(() => this.links ? moran(this.at(`${this.target}_balance`, this.t), this.links) : null);
  readonly clusters: string[] = $derived.by(() => this.clustersNow());

  constructor(payload: Payload) {
    this.payload = payload;
    this.model = new Model(payload);
    this.study = this.model.evaluate(nothing());
    this.paths = payload.map ? outlines(payload.map) : [];
    this.links = payload.space ? links(payload.space) : null;
    this.clusterCodes = payload.space ? (numbers(payload.space.cluster.codes) as Uint8Array) : null;
    this.pseudo = payload.space ? (numbers(payload.space.pseudo_p) as Uint16Array) : null;
    const both = (of?: Record<Target, Encoded>) => ({ carbon: of ? floats(of.carbon) : new Float64Array(0), oxygen: of ? floats(of.oxygen) : new Float64Array(0) });
    this.intervalValues = { balance: both(payload.intervals?.balance), gap: both(payload.intervals?.gap) };
    this.t = payload.years.length - 1;
  }

  /** All regions, or those selected. */
  get chosen(): number[] {
    return this.selected.size ? [...this.selected] : [...Array(this.model.n).keys()];
  }

  name(r: number): string { return this.payload.regions[this.language][r]!; }
  say(key: Key, values: Record<string, string | number> = {}): string { return say(this.language, key, values); }
  word(text: string): string { return word(this.language, text); }
  number(value: number | null | undefined, digits = 3): string { return number(this.language, value, digits); }
  percent(value: number, digits = 3): string { return percent(this.language, value, digits); }
  quantity(value: number, unit: string, digits = 3): string { return quantity(this.language, value, unit, digits); }
  unitText(unit: string): string { return unitText(this.language, unit); }
  metricName(metric: Metric): string { return this.say(`metric.${metric}`); }
  unit(metric: Metric): string { return UNITS[metric]; }
  /** Why a balance is undefined, as a sentence. */
  reason(text: string): string { return this.payload.reasons.balance[text]?.[this.language] ?? this.word(text); }

  /** A metric of one year over the regions. */
  at(metric: Metric, t: number, outcome: Outcome = this.outcome): Float64Array {
    const cells = this.cells(metric, outcome);
    return Float64Array.from({ length: this.model.n }, (_, r) => cells[r * this.model.T + t]!);
  }

  cells(metric: Metric, outcome: Outcome = this.outcome): Float64Array {
    switch (metric) {
      case 'carbon_balance': return outcome.balance.carbon;
      case 'oxygen_balance': return outcome.balance.oxygen;
      case 'carbon_emission': return outcome.totals.emission;
      case 'carbon_sequestration': return outcome.totals.sequestration;
      case 'oxygen_consumption': return outcome.totals.consumption;
      case 'oxygen_release': return outcome.totals.release;
    }
  }

  /** Classes stand for all years and for every scenario: a colour means the same wherever the reader goes. */
  metricClasses(metric: Metric): Classes {
    let found = this.classesOf.get(metric);
    if (!found) {
      const cells = this.cells(metric, this.study);
      const burden = metric === 'carbon_emission' || metric === 'oxygen_consumption';
      found = metric.endsWith('balance') ? balanceClasses(cells) : quantityClasses(cells, burden ? 'burden' : 'capacity');
      this.classesOf.set(metric, found);
    }
    return found;
  }

  /** Clusters of the run; under changed assumptions, those of a permutation in the page. */
  private clustersNow(): string[] {
    const { space } = this.payload;
    if (!space || !this.clusterCodes) return [];
    if (this.serverTested) return this.serverTested.cluster;
    if (this.accountsChanged && this.permuted?.of === this.moran) return this.permuted.clusters;
    const v = space.variables.indexOf(VARIABLE[this.target]);
    if (v < 0) return [];
    const start = (v * this.model.T + this.t) * this.model.n;
    return Array.from({ length: this.model.n }, (_, r) => space.cluster.words[this.clusterCodes![start + r]!]!);
  }

  /** Clusters of changed assumptions by permutation in the page: the sliders do not wait for them. */
  permute(): void {
    const { space } = this.payload;
    if (!space || !this.moran || !this.links) return;
    this.permuted = { of: this.moran, clusters: clustersOf(this.moran, this.links, this.at(`${this.target}_balance`, this.t), space.significance) };
  }

  /** The server's test of the very values that are shown, or null. */
  get serverTested(): Clusters | null {
    const { tested } = this;
    if (!tested || !this.accountsChanged) return null;
    const now = this.at(`${this.target}_balance`, this.t);
    return tested.values.every((value, r) => Object.is(value, now[r])) ? tested : null;
  }

  /** Ask the server's Python for Moran and LISA of what is shown. */
  async test(signal: AbortSignal): Promise<void> {
    const values = this.at(`${this.target}_balance`, this.t);
    const plain = Array.from(values, (value) => (Number.isNaN(value) ? null : value));
    this.tested = { ...(await post<Clusters>('clusters', { values: plain }, signal)), values };
  }

  pseudoP(r: number): number {
    if (this.serverTested) return this.serverTested.pseudo_p[r] ?? NaN;
    const v = this.payload.space?.variables.indexOf(VARIABLE[this.target]) ?? -1;
    if (v < 0 || !this.pseudo || this.accountsChanged) return NaN;
    const step = this.pseudo[(v * this.model.T + this.t) * this.model.n + r]!;
    return step === 65535 ? NaN : step / 65534;
  }

  /** Lines for a tooltip: the interval of a balance, or of a gap where no year is given; none under changed assumptions. */
  intervalLines(r: number, target: Target, t: number | null): [string, string][] {
    const found = this.payload.intervals;
    if (!found || (t === null ? this.changed : this.accountsChanged)) return [];
    const values = this.intervalValues[t === null ? 'gap' : 'balance'][target];
    const at = (t === null ? r : r * this.model.T + t) * 3;
    if (!Number.isFinite(values[at]!)) return [];
    const unit = t === null ? ' %' : '';
    return [[this.say('interval'), `${this.number(values[at])} – ${this.number(values[at + 1])}${unit}`], [this.say(t === null ? 'interval.gap' : 'interval.above'), this.percent(values[at + 2]! * 100, 2)]];
  }

  /** Select regions; with `add`, toggle them among those selected. */
  select(regions: Iterable<number>, add = false): void {
    const given = [...regions];
    if (!add) { this.selected = new Set(given); return; }
    const next = new Set(this.selected);
    const every = given.length > 0 && given.every((r) => next.has(r));
    for (const r of given) if (every) next.delete(r); else next.add(r);
    this.selected = next;
  }

  /** A click: select it alone; the only one selected again: nothing. */
  click(r: number, add = false): void {
    if (!add && this.selected.size === 1 && this.selected.has(r)) this.clear();
    else this.select([r], add);
  }

  clear(): void { this.selected = new Set(); }

  change(part: Partial<Scenario>): void { this.scenario = { ...this.scenario, ...part }; }

  /** One entry of a part of the scenario; null takes it back to the study. */
  put(part: 'sets' | 'values' | 'cuts' | 'convert', key: string, value: number | string | null): void {
    const next: Record<string, number | string> = { ...this.scenario[part] };
    if (value === null) delete next[key]; else next[key] = value;
    const values = part === 'sets' ? this.withoutFamily(key) : this.scenario.values;
    this.scenario = { ...this.scenario, values, [part]: next };
  }

  /** Another set is another start: the reader's own values of its family do not outlive it. */
  private withoutFamily(family: string): Record<string, number> {
    const families = new Map(this.payload.parameters.map((parameter) => [parameter.id, parameter.family]));
    return Object.fromEntries(Object.entries(this.scenario.values).filter(([id]) => families.get(id) !== family));
  }

  reset(): void { this.scenario = nothing(); }

  show(origin: Origin): void { this.origin = [...this.origin, origin]; }

  /** How many things the reader changed. */
  get changes(): number {
    const { phi, models, sets, values, cuts, convert } = this.scenario;
    return Number(phi !== null) + Number(models !== null) + [sets, values, cuts, convert].reduce((n, part) => n + Object.keys(part).length, 0);
  }

  restore(hash: string): void {
    const found = readHash(hash, this.payload);
    if (found.language) this.language = found.language;
    if (found.theme) this.theme = found.theme;
    if (found.t !== undefined) this.t = found.t;
    if (found.metric) this.metric = found.metric;
    this.selected = new Set(found.selected ?? []);
    this.scenario = found.scenario ?? nothing();
  }

  get hash(): string {
    return writeHash({ language: this.language, theme: this.theme, t: this.t, metric: this.metric, selected: [...this.selected], scenario: this.scenario }, this.payload);
  }

  /** Sum over regions of those that have a value, and who has none. */
  sumOf(cells: Float64Array, regions: number[], t: number): { value: number; missing: number[] } {
    const missing: number[] = [];
    let value = 0;
    for (const r of regions) {
      const own = cells[r * this.model.T + t]!;
      if (Number.isNaN(own)) missing.push(r); else value += own;
    }
    return { value: missing.length === regions.length ? NaN : value, missing };
  }

  /** Balance of some regions together: quantities of those that have both are added first, the ratio formed last. */
  balanceOf(target: Target, regions: number[], t: number, outcome: Outcome = this.outcome): { value: number; burden: number; capacity: number; missing: number[] } {
    const burdens = target === 'carbon' ? outcome.totals.emission : outcome.totals.consumption;
    const capacities = target === 'carbon' ? outcome.totals.sequestration : outcome.totals.release;
    let burden = 0, capacity = 0;
    const missing: number[] = [];
    for (const r of regions) {
      const i = r * this.model.T + t;
      if (Number.isNaN(burdens[i]!) || Number.isNaN(capacities[i]!)) { missing.push(r); continue; }
      burden += burdens[i]!;
      capacity += capacities[i]!;
    }
    if (missing.length === regions.length) return { value: NaN, burden: NaN, capacity: NaN, missing };
    return { value: capacity > 0 ? burden / capacity : NaN, burden, capacity, missing };
  }

  /** The largest relative difference between what Python printed and what this page computes for the study. */
  agreement(): number {
    const { printed } = this.payload;
    let worst = 0;
    const compare = (theirs: Float64Array, own: (i: number) => number) =>
      theirs.forEach((value, i) => {
        const mine = own(i);
        if (Number.isNaN(value) !== Number.isNaN(mine)) worst = Infinity;
        else if (!Number.isNaN(value)) worst = Math.max(worst, Math.abs(value - mine) / Math.max(Math.abs(value), 1e-12));
      });
    const last = this.model.T - 1;
    for (const target of ['carbon', 'oxygen'] as const) {
      compare(floats(printed[`${target}_balance_coefficient`]), (r) => this.study.balance[target][r * this.model.T + last]!);
    }
    if (printed.ecological_land_gap) {
      compare(floats(printed.ecological_land_gap), (i) => this.study.land[i % 2 === 0 ? 'carbon' : 'oxygen'].gap[Math.floor(i / 2)]!);
    }
    return worst;
  }
}
