/** Classes of values and the colours that hang on them; limits and colours are those of the report. */

export const BELOW_ONE = ['#01665e', '#35978f', '#80cdc1', '#c7eae5'];
export const ABOVE_ONE = ['#f6e8c3', '#dfc27d', '#bf812d', '#8c510a', '#543005'];
export const GAPS = ['#dfe8e2', '#dadaeb', '#bcbddc', '#9e9ac8', '#756bb1', '#54278f'];
export const GAP_LIMITS = [25, 50, 100, 300];
const BURDEN = ['#fbf1dc', '#f3dcae', '#e4bd7a', '#c98f45', '#9c6221', '#613509'];
const CAPACITY = ['#e6f3ee', '#c0e2d6', '#90c9b8', '#5aab98', '#2a8374', '#045a4f'];
const BALANCE_LIMITS = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 25, 100];
const KEPT = [1, 3];
const MOST = 7;

export const CLUSTERS: Record<string, string> = {
  'high-high': '#b2182b', 'low-low': '#2166ac', 'low-high': '#92c5de', 'high-low': '#fdb863',
  'not significant': '#efefef', isolated: '#999999', undefined: '#464646',
};
export const LETTERS: Record<string, string> = { 'high-high': 'HH', 'low-low': 'LL', 'low-high': 'LH', 'high-low': 'HL' };
export const MODELS: Record<string, string> = {
  linear: '#0072b2', grey: '#e69f00', growth: '#009e73', ensemble: '#d55e00', damped_growth: '#44aa99', theil_sen: '#56b4e9', grey_discrete: '#ddcc77',
  grey_background: '#b5892c', grey_rolling: '#8a6d1f', last_value: '#999999', mean_growth: '#117733',
};
const PARTS: Record<string, string> = {
  coal: '#3f3f46', coke: '#71717a', crude_oil: '#7c4a2d', gasoline: '#d55e00', kerosene: '#e9a23b', jet_fuel: '#f0c571',
  diesel: '#b5651d', fuel_oil: '#8a3b3b', lpg: '#cc79a7', natural_gas: '#56a0d3', cement: '#a3a3a3', respiration: '#6aa84f',
  forest: '#1b7837', shrub: '#5aae61', garden: '#a6d96a', cropland: '#e0b94d', grassland: '#a6dba0', wetland: '#35978f',
  water: '#67a9cf', built: '#9a8fa8', barren: '#d9c9a8', snow_ice: '#bcd6e6',
};
const SPARE = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#999999', '#44aa99', '#882255', '#ddcc77'];

export const partColour = (key: string, position: number): string => PARTS[key] ?? SPARE[position % SPARE.length]!;

export interface Classes {
  limits: number[];
  colours: string[];
  /** class of a value; −1 where there is none. An upper limit belongs to its class. */
  of(value: number): number;
}

function classes(limits: number[], colours: string[]): Classes {
  return {
    limits, colours,
    of(value) {
      if (!Number.isFinite(value)) return -1;
      let k = 0;
      while (k < limits.length && value > limits[k]!) k++;
      return k;
    },
  };
}

/** Classes of a balance coefficient, held over all years: 1 is always a limit; green-blue below it, brown above. */
export function balanceClasses(values: Iterable<number>): Classes {
  const known = finite(values);
  let limits = BALANCE_LIMITS.filter((limit) => limit === 1 || (known.length > 0 && known[0]! < limit && limit < known[known.length - 1]!));
  const count = (low: number, high: number) => known.filter((value) => value > low && value <= high).length;
  while (limits.length >= MOST) {
    const edges = [-Infinity, ...limits, Infinity];
    const merged = limits
      .map((limit, i) => ({ limit, size: count(edges[i]!, edges[i + 2]!) }))
      .filter(({ limit }) => !KEPT.includes(limit));
    const least = merged.reduce((a, b) => (b.size < a.size ? b : a));
    limits = limits.filter((limit) => limit !== least.limit);
  }
  const below = limits.filter((limit) => limit <= 1).length;
  const under = below <= BELOW_ONE.length ? BELOW_ONE.slice(BELOW_ONE.length - below) : stretched(BELOW_ONE, below);
  return classes(limits, [...under, ...stretched(ABOVE_ONE, limits.length + 1 - below)]);
}

/** Classes of a quantity at round limits that hold about as many values each, held over all years. */
export function quantityClasses(values: Iterable<number>, kind: 'burden' | 'capacity'): Classes {
  const palette = kind === 'burden' ? BURDEN : CAPACITY;
  const known = finite(values);
  const limits: number[] = [];
  for (let k = 1; k < palette.length && known.length > 0; k++) {
    const limit = round(known[Math.min(Math.floor((known.length * k) / palette.length), known.length - 1)]!);
    if (limit > (limits[limits.length - 1] ?? -Infinity) && limit < known[known.length - 1]!) limits.push(limit);
  }
  return classes(limits, stretched(palette, limits.length + 1));
}

/** No gap, then the report's limits. */
export function gapClasses(): Classes {
  return classes([0, ...GAP_LIMITS], GAPS);
}

function finite(values: Iterable<number>): number[] {
  return Float64Array.from([...values].filter(Number.isFinite)).sort() as unknown as number[];
}

function stretched(palette: string[], count: number): string[] {
  if (count === 1) return [palette[0]!];
  return Array.from({ length: count }, (_, i) => palette[Math.round((i * (palette.length - 1)) / Math.max(count - 1, 1))]!);
}

/** Two significant digits. */
function round(value: number): number {
  return value === 0 ? 0 : Number(value.toPrecision(2));
}

/** Round steps that cover a range, about `count` of them. */
export function ticks(low: number, high: number, count = 5): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const result: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) result.push(Number((i * step).toPrecision(12)));
  return result;
}

/** Black or white, whichever reads on a colour. */
export function inkOn(colour: string): string {
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b! > 0.3 ? '#11181b' : '#fdfdfd';
}
