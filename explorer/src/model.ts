/**
 * The closed-form layer: from areas, activities and coefficients to balance, outlook and ecological land.
 *
 * It is the arithmetic of cobalance.accounts, of the combination of cobalance.outlook and of
 * cobalance.accounts.ecological_land, held to them by golden vectors. Missing is NaN and stays NaN.
 */
import { floats, numbers, type Parameter, type Payload, type Row } from './payload';

/** What a reader changed; empty is the study itself. */
export interface Scenario {
  phi: number | null;
  /** family → name of another coefficient set */
  sets: Record<string, string>;
  /** parameter → its value, or the factor on all its values where it has several */
  values: Record<string, number>;
  /** source → share of the target year's burden that is avoided */
  cuts: Record<string, number>;
  /** land class → share of the base year's area that becomes the reference class */
  convert: Record<string, number>;
  models: string[] | null;
}

export const nothing = (): Scenario => ({ phi: null, sets: {}, values: {}, cuts: {}, convert: {}, models: null });

export function differs(scenario: Scenario): boolean {
  const { phi, models, sets, values, cuts, convert } = scenario;
  return phi !== null || models !== null || [sets, values, cuts, convert].some((part) => Object.keys(part).length > 0);
}

export type Target = 'carbon' | 'oxygen';
export const TARGETS: readonly Target[] = ['carbon', 'oxygen'];
export type Status = 'no gap' | 'gap' | 'infeasible on own land' | 'undefined';

export interface LandAccount {
  standard: Float64Array; needed: Float64Array; shortfall: Float64Array; capacity: Float64Array; gap: Float64Array;
  status: Status[];
}

/** Everything that follows from a scenario. Arrays over (region, year) have the year running fastest. */
export interface Outcome {
  scenario: Scenario;
  parameters: Map<string, Parameter>;
  phi: number;
  sequestration: Float64Array[]; release: Float64Array[];
  emission: Float64Array[]; consumption: Float64Array[];
  totals: { sequestration: Float64Array; release: Float64Array; emission: Float64Array; consumption: Float64Array };
  balance: Record<Target, Float64Array>;
  target: { emission: Float64Array[]; consumption: Float64Array[]; totals: Record<Target, Float64Array> };
  land: Record<Target, LandAccount>;
}

export type Reason = '' | 'burden missing' | 'capacity missing' | 'capacity zero' | 'capacity negative';

/** Why a balance coefficient is undefined. */
export function undefinedReason(burden: number, capacity: number): Reason {
  if (Number.isNaN(burden)) return 'burden missing';
  if (Number.isNaN(capacity)) return 'capacity missing';
  if (capacity === 0) return 'capacity zero';
  return capacity < 0 ? 'capacity negative' : '';
}

const EVERYWHERE = '*';
const NUMERIC_TARGET = -1; // position of the target year among the years of a lookup

/** A coefficient over regions and years: the general row first, a region's own row over it. */
class Lookup {
  private readonly single: number | null;
  private readonly cells: Float64Array;
  constructor(rows: Row[], codes: Map<string, number>, years: Map<number, number>, private readonly width: number) {
    const plain = rows.length === 1 && rows[0]!.region === EVERYWHERE && rows[0]!.year === null;
    this.single = plain ? rows[0]!.value : null;
    this.cells = plain ? new Float64Array(0) : new Float64Array(codes.size * width).fill(NaN);
    if (plain) return;
    const ordered = [...rows].sort((a, b) => Number(a.region !== EVERYWHERE) - Number(b.region !== EVERYWHERE));
    for (const row of ordered) {
      const places = row.region === EVERYWHERE ? [...codes.values()] : [codes.get(row.region)];
      const times = row.year === null ? [...years.values()] : [years.get(row.year)];
      for (const r of places) for (const t of times) if (r !== undefined && t !== undefined) this.cells[r * width + t] = row.value;
    }
  }
  /** the one value where there is but one */
  get value(): number | null { return this.single; }
  at(region: number, year: number): number {
    if (this.single !== null) return this.single;
    return this.cells[region * this.width + (year === NUMERIC_TARGET ? this.width - 1 : year)]!;
  }
}

interface Accounts extends Pick<Outcome, 'parameters' | 'sequestration' | 'release' | 'emission' | 'consumption' | 'totals' | 'balance'> {
  rates: (Lookup | null)[]; oxygenRates: (Lookup | null)[]; lookup: (id: string) => Lookup | null;
}

export class Model {
  readonly n: number;
  readonly T: number;
  readonly base: number;
  private readonly area: Float64Array[];
  private readonly activity: Float64Array[];
  private readonly ownOxygen = new Map<string, Float64Array>();
  private readonly codes: Map<string, number>;
  private readonly years: Map<number, number>;
  private readonly studyParameters: Map<string, Parameter>;
  private readonly outlook: { atTarget: Float64Array; atBase: Float64Array | null; observedBase: Float64Array | null; last: Float64Array | null; ensembleTarget: Float64Array | null; ensembleBase: Float64Array | null; reason: Uint8Array; zero: number } | null;

  constructor(readonly payload: Payload) {
    this.n = payload.regions.codes.length;
    this.T = payload.years.length;
    this.base = payload.years.indexOf(payload.land.base_year);
    const area = floats(payload.land_area);
    const K = payload.land_classes.length;
    this.area = payload.land_classes.map((_, k) => Float64Array.from({ length: this.n * this.T }, (_, i) => area[i * K + k]!));
    const activity = floats(payload.activity);
    const cells = this.n * this.T;
    this.activity = payload.sources.map((_, s) => activity.subarray(s * cells, (s + 1) * cells));
    for (const [key, encoded] of Object.entries(payload.own_oxygen)) this.ownOxygen.set(key, floats(encoded));
    this.codes = new Map(payload.regions.codes.map((code, index) => [code, index]));
    const target = payload.outlook?.target;
    this.years = new Map([...payload.years, ...(target === undefined ? [] : [target])].map((year, index) => [year, index]));
    this.studyParameters = new Map(payload.parameters.map((parameter) => [parameter.id, parameter]));
    this.outlook = this.readOutlook();
  }

  /** The coefficients of a scenario: the study's, another set's where chosen, then the reader's own. */
  parameters(scenario: Scenario): Map<string, Parameter> {
    const result = new Map(this.studyParameters);
    for (const [family, name] of Object.entries(scenario.sets)) {
      const chosen = this.payload.alternatives[family]?.find((entry) => entry.set === name);
      for (const parameter of chosen?.parameters ?? []) if (result.has(parameter.id)) result.set(parameter.id, parameter);
    }
    for (const [id, value] of Object.entries(scenario.values)) {
      const parameter = result.get(id);
      if (parameter) result.set(id, { ...parameter, rows: changed(parameter.rows, value) });
    }
    for (const parameter of [...result.values()]) {
      if (parameter.follows && !(parameter.id in scenario.values)) result.set(parameter.id, this.following(parameter, result, scenario));
    }
    return result;
  }

  evaluate(scenario: Scenario): Outcome {
    const accounts = this.accounts(scenario);
    const { rates, oxygenRates, lookup, ...known } = accounts;
    const target = this.target(scenario, known.emission, known.consumption, lookup);
    const phi = scenario.phi ?? this.payload.land.phi;
    const land = {
      carbon: this.landAccount(rates, target.totals.carbon, phi, scenario),
      oxygen: this.landAccount(oxygenRates, target.totals.oxygen, phi, scenario),
    };
    return { scenario, phi, ...known, target, land };
  }

  private kept: { key: string; accounts: Accounts } | null = null;

  /** The accounts of all years. They follow from the coefficients alone, so a cut or another φ forms them no second time. */
  private accounts(scenario: Scenario): Accounts {
    const key = JSON.stringify([scenario.sets, scenario.values]);
    if (this.kept?.key !== key) this.kept = { key, accounts: this.formed(scenario) };
    return this.kept.accounts;
  }

  private formed(scenario: Scenario): Accounts {
    const parameters = this.parameters(scenario);
    const found = new Map<string, Lookup | null>();
    const lookup = (id: string) => {
      if (!found.has(id)) found.set(id, this.lookup(parameters, id));
      return found.get(id)!;
    };
    const { land_classes, sources } = this.payload;
    const rates = land_classes.map((item) => lookup(`sequestration_rate/${item}`));
    const oxygenRates = land_classes.map((item) => lookup(`oxygen_release_rate/${item}`));
    const sequestration = land_classes.map((_, k) => this.times(this.area[k]!, rates[k]!));
    const release = land_classes.map((_, k) => this.times(this.area[k]!, oxygenRates[k]!));
    const burdens = sources.map((_, s) => this.burden(s, this.activity[s]!, (i) => i % this.T, lookup));
    const emission = burdens.map((burden) => burden.carbon);
    const consumption = burdens.map((burden) => burden.oxygen);
    const totals = {
      sequestration: sum(sequestration), release: sum(release), emission: sum(emission), consumption: sum(consumption),
    };
    const balance = { carbon: ratio(totals.emission, totals.sequestration), oxygen: ratio(totals.consumption, totals.release) };
    return { parameters, sequestration, release, emission, consumption, totals, balance, rates, oxygenRates, lookup };
  }

  /** The activity of every source in the target year, (source, region); null without an outlook. */
  targetActivity(scenario: Scenario): Float64Array[] | null {
    const { outlook, sources } = this.payload;
    if (!outlook || !this.outlook) return null;
    return sources.map((source, s) => {
      const a = outlook.activities.indexOf(source.kind === 'respiration' ? 'population' : source.key);
      return Float64Array.from({ length: this.n }, (_, r) => {
        if (a < 0) return NaN;
        const later = this.outlookAt('target', scenario.models, a, r);
        return outlook.apply === 'level' ? later : this.activity[s]![r * this.T + this.base]! * this.growth(later, scenario.models, a, r);
      });
    });
  }

  /** A source's carbon and oxygen, from its activity; `year` gives the position of the year of a cell. */
  private burden(s: number, activity: Float64Array, year: (i: number) => number, lookup: (id: string) => Lookup | null) {
    const source = this.payload.sources[s]!;
    const perRegion = activity.length / this.n;
    const factorId = { fuel: `emission_factor/${source.key}`, cement: 'cement_factor/cement', respiration: 'respiration_carbon/person', inventory: '' }[source.kind];
    const factor = factorId ? lookup(factorId) : null;
    const oxygen = this.oxygenOf(s, lookup);
    const carbon = new Float64Array(activity.length);
    const used = new Float64Array(activity.length);
    for (let i = 0; i < activity.length; i++) {
      const r = Math.floor(i / perRegion), t = year(i);
      carbon[i] = source.kind === 'inventory' ? activity[i]! : activity[i]! * (factor?.at(r, t) ?? NaN);
      used[i] = oxygen(activity[i]!, carbon[i]!, r, t);
    }
    return { carbon, oxygen: used };
  }

  private oxygenOf(s: number, lookup: (id: string) => Lookup | null): (activity: number, carbon: number, r: number, t: number) => number {
    const { key, kind } = this.payload.sources[s]!;
    if (key === 'cement') return (_, carbon) => carbon * 0; // calcination takes no oxygen; missing stays missing
    if (kind === 'respiration') {
      const breathed = lookup('respiration_oxygen/person');
      return (activity, _, r, t) => activity * (breathed?.at(r, t) ?? NaN);
    }
    const stated = this.ownOxygen.get(key);
    if (stated) return (_, carbon, r, t) => (carbon === 0 ? 0 : carbon * stated[r * this.T + (t === NUMERIC_TARGET ? this.base : t)]!);
    const ratio = lookup(`oxygen_per_carbon/${key}`);
    return (_, carbon, r, t) => carbon * (ratio?.at(r, t) ?? NaN);
  }

  /** Burdens of the target year, cuts taken off; those of the base year where the study looks no further. */
  private target(scenario: Scenario, emission: Float64Array[], consumption: Float64Array[], lookup: (id: string) => Lookup | null) {
    const activity = this.targetActivity(scenario);
    const atBase = (cells: Float64Array) => Float64Array.from({ length: this.n }, (_, r) => cells[r * this.T + this.base]!);
    const burdens = this.payload.sources.map((source, s) => {
      const kept = 1 - (scenario.cuts[source.key] ?? 0);
      const full = activity
        ? this.burden(s, activity[s]!, () => NUMERIC_TARGET, lookup)
        : { carbon: atBase(emission[s]!), oxygen: atBase(consumption[s]!) };
      return { carbon: full.carbon.map((value) => value * kept), oxygen: full.oxygen.map((value) => value * kept) };
    });
    const carbon = burdens.map((burden) => burden.carbon), oxygen = burdens.map((burden) => burden.oxygen);
    return { emission: carbon, consumption: oxygen, totals: { carbon: sum(carbon), oxygen: sum(oxygen) } };
  }

  private landAccount(rates: (Lookup | null)[], burden: Float64Array, phi: number, scenario: Scenario): LandAccount {
    const { land_classes, land } = this.payload;
    const reference = land_classes.indexOf(land.reference);
    const counts = land_classes.map((item) => land.classes === null || land.classes.includes(item));
    const account = {
      standard: new Float64Array(this.n), needed: new Float64Array(this.n), shortfall: new Float64Array(this.n),
      capacity: new Float64Array(this.n), gap: new Float64Array(this.n), status: [] as Status[],
    };
    for (let r = 0; r < this.n; r++) {
      const area = this.convertedArea(r, scenario);
      const rate = rates.map((lookup, k) => (counts[k] ? lookup?.at(r, this.base) ?? NaN : 0));
      const standing = rate[reference]!;
      const positive = standing > 0 ? standing : NaN;
      const best = rate.some(Number.isNaN) ? NaN : Math.max(...rate);
      let standard = 0, capacity = 0;
      for (let k = 0; k < area.length; k++) {
        standard += area[k]! * (rate[k]! / positive);
                capacity += area[k]! * (land.convertible[land_classes[k]!] ?? 0) * ((best - rate[k]!) / positive);
      }
      const needed = (phi * burden[r]!) / positive;
      const part = needed / (standard > 0 ? standard : NaN);
      const gap = part < 1 ? 0 : (part - 1) * 100;
      account.standard[r] = standard;
      account.needed[r] = needed;
      account.capacity[r] = capacity;
      account.shortfall[r] = Math.max(needed - standard, 0);
      account.gap[r] = gap;
      account.status.push(status(gap, needed - standard, capacity));
    }
    return account;
  }

  /** Land of the base year by class, with what the scenario converts added to the reference class. */
  convertedArea(r: number, scenario: Scenario): number[] {
    const { land_classes, land } = this.payload;
    const reference = land_classes.indexOf(land.reference);
    const area = this.area.map((cells) => cells[r * this.T + this.base]!);
    const before = [...area];
    for (const [item, share] of Object.entries(scenario.convert)) {
      const k = land_classes.indexOf(item);
      if (k < 0 || k === reference || share === 0) continue;
      area[k] = before[k]! * (1 - share);
      area[reference] = area[reference]! + before[k]! * share;
    }
    return area;
  }

  areaOf(k: number): Float64Array { return this.area[k]!; }
  activityOf(s: number): Float64Array { return this.activity[s]!; }

  /** One parameter's value for a region and a year (position, or "target"), as the scenario has it. */
  valueOf(parameters: Map<string, Parameter>, id: string, r: number, t: number | 'target'): number {
    return this.lookup(parameters, id)?.at(r, t === 'target' ? NUMERIC_TARGET : t) ?? NaN;
  }

  private lookup(parameters: Map<string, Parameter>, id: string): Lookup | null {
    const parameter = parameters.get(id);
    return parameter ? new Lookup(parameter.rows, this.codes, this.years, this.years.size) : null;
  }

  private times(cells: Float64Array, rate: Lookup | null): Float64Array {
    const one = rate?.value ?? null;
    if (one !== null) return cells.map((value) => value * one);
    return cells.map((value, i) => value * (rate?.at(Math.floor(i / this.T), i % this.T) ?? NaN));
  }

  /** An oxygen rate that was made from the carbon rate: it keeps its quotient o / s. */
  private following(oxygen: Parameter, all: Map<string, Parameter>, scenario: Scenario): Parameter {
    const id = `sequestration_rate/${oxygen.item}`;
    if (!(id in scenario.values)) return oxygen;
    const quotient = this.quotient(oxygen, this.ratesBefore(id, scenario));
    const rows = all.get(id)!.rows.map((row) => ({ ...row, unit: 't O2 / ha / yr', value: row.value * quotient, low: null, high: null }));
    return { ...oxygen, rows };
  }

  private ratesBefore(id: string, scenario: Scenario): Row[] {
    const chosen = this.payload.alternatives.sequestration?.find((entry) => entry.set === scenario.sets.sequestration);
    return (chosen?.parameters.find((parameter) => parameter.id === id) ?? this.studyParameters.get(id))!.rows;
  }

  /** Oxygen per carbon of a class; of a class that takes up nothing, that of pure carbohydrate. */
  private quotient(oxygen: Parameter, carbon: Row[]): number {
    const value = oxygen.rows[0]!.value / carbon[0]!.value;
    return Number.isFinite(value) ? value : 32 / 12;
  }

  private readOutlook() {
    const { outlook } = this.payload;
    if (!outlook) return null;
    const w = outlook.window_years.indexOf(this.payload.land.base_year);
    const observed = floats(outlook.observed), width = outlook.window_years.length;
    const series = { length: observed.length / width };
    return {
      atTarget: floats(outlook.at_target),
      atBase: outlook.at_base ? floats(outlook.at_base) : null,
      observedBase: w < 0 ? null : Float64Array.from(series, (_, i) => observed[i * width + w]!),
      last: outlook.last_value ? Float64Array.from(series, (_, i) => lastKnown(observed, i * width, width)) : null,
      ensembleTarget: outlook.ensemble_at_target ? floats(outlook.ensemble_at_target) : null,
      ensembleBase: outlook.ensemble_at_base ? floats(outlook.ensemble_at_base) : null,
      reason: numbers(outlook.reason.codes) as Uint8Array,
      zero: outlook.reason.words.indexOf('always zero'),
    };
  }

  /** Whether the page may combine other models than the study: not where past errors decide. */
  get combines(): boolean { return !this.outlook?.ensembleTarget; }

  /** One activity of one region in the target or base year; `models` null: as the study has it. */
  private outlookAt(when: 'target' | 'base', models: string[] | null, a: number, r: number): number {
    const { atTarget, atBase, ensembleTarget, ensembleBase } = this.outlook!;
    const own = when === 'target' ? ensembleTarget : ensembleBase, values = when === 'target' ? atTarget : atBase;
    if (models === null && own) return own[a * this.n + r]!;
    if (!values) return NaN;
    const M = this.payload.outlook!.activities.length * this.n;
    return this.combined((m) => values[m * M + a * this.n + r]!, models ?? this.payload.outlook!.chosen, a, r).value;
  }

  /**
   * Mean or median of the chosen models that apply; zero where all say the series is always zero; where none applies
   * the last observed value if the study holds it. `part` says which of these it was.
   */
  combined(valueOf: (m: number) => number, models: string[], a: number, r: number): { value: number; part: 'models' | 'zero' | 'held' | 'none' } {
    const { outlook } = this.payload;
    const applies = outlook!.reason.words.indexOf('');
    const values: number[] = [];
    let zeros = 0;
    for (const model of models) {
      const m = outlook!.models.indexOf(model);
      const word = this.outlook!.reason[(m * outlook!.activities.length + a) * this.n + r];
      if (word === applies) values.push(valueOf(m));
      else if (word === this.outlook!.zero) zeros++;
    }
    if (values.length > 0) return { value: outlook!.combination === 'median' ? median(values) : values.reduce((x, y) => x + y, 0) / values.length, part: 'models' };
    if (zeros === models.length && zeros > 0) return { value: 0, part: 'zero' };
    const last = this.outlook!.last?.[a * this.n + r] ?? NaN;
    return { value: last, part: Number.isNaN(last) ? 'none' : 'held' };
  }

  private growth(later: number, models: string[] | null, a: number, r: number): number {
    const { observedBase } = this.outlook!;
    const base = observedBase ? observedBase[a * this.n + r]! : this.outlookAt('base', models, a, r);
    if (Number.isNaN(base) || Number.isNaN(later)) return NaN;
    if (base !== 0) return later / base;
    return later === 0 ? 1 : NaN;
  }
}

function lastKnown(values: Float64Array, start: number, width: number): number {
  for (let i = start + width - 1; i >= start; i--) if (!Number.isNaN(values[i]!)) return values[i]!;
  return NaN;
}

export function median(values: number[]): number {
  const ordered = [...values].sort((x, y) => x - y), middle = (ordered.length - 1) / 2;
  return 0.5 * (ordered[Math.floor(middle)]! + ordered[Math.ceil(middle)]!);
}

/** Rows with a reader's value: the value itself, or a factor on all of several rows. */
export function changed(rows: Row[], value: number): Row[] {
  if (rows.length === 1) return [{ ...rows[0]!, value, low: null, high: null }];
  return rows.map((row) => ({ ...row, value: row.value * value, low: null, high: null }));
}

/** The sum over parts, missing where a part is missing. */
export function sum(parts: Float64Array[]): Float64Array {
  const total = new Float64Array(parts[0]?.length ?? 0);
  for (const part of parts) for (let i = 0; i < total.length; i++) total[i]! += part[i]!;
  return total;
}

export const ratio = (burden: Float64Array, capacity: Float64Array): Float64Array =>
  burden.map((value, i) => (capacity[i]! > 0 ? value / capacity[i]! : NaN));

function status(gap: number, lacking: number, capacity: number): Status {
  if (Number.isNaN(gap) || (gap > 0 && Number.isNaN(capacity))) return 'undefined';
  if (!(gap > 0)) return 'no gap';
  return lacking > capacity ? 'infeasible on own land' : 'gap';
}
