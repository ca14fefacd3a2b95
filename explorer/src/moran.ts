/** Moran's I of one map: the arithmetic of cobalance.spatial, without its permutations. */
import { floats, numbers, type SpaceData } from './payload';

export interface Links { offsets: Int32Array; neighbours: Int32Array; values: Float64Array; rowStandardised: boolean }

export function links(space: SpaceData): Links | null {
  const given = space.weights;
  return given && {
    offsets: numbers(given.offsets) as Int32Array,
    neighbours: numbers(given.neighbours) as Int32Array,
    values: floats(given.values),
    rowStandardised: given.row_standardised,
  };
}

export interface Moran {
  /** deviations in standard deviations (n − 1), and their weighted mean around; NaN where a region is not tested */
  z: Float64Array; lag: Float64Array; tested: boolean[]; n: number;
  /** global I = n / S0 · Σ z lag / Σ z² */
  i: number;
}

/**
 * Missing regions and those without a neighbour that has a value are left out together with their links; the rows of
 * those that stay are standardised anew where the weights are.
 */
export function moran(values: Float64Array, weights: Links): Moran {
  const n = values.length;
  const tested = testedRegions(values, weights);
  const chosen = [...values.keys()].filter((r) => tested[r]);
  const mean = chosen.reduce((total, r) => total + values[r]!, 0) / chosen.length;
  const square = chosen.reduce((total, r) => total + (values[r]! - mean) ** 2, 0);
  const largest = Math.max(...chosen.map((r) => Math.abs(values[r]!)));
  const range = Math.max(...chosen.map((r) => values[r]!)) - Math.min(...chosen.map((r) => values[r]!));
  const spread = range <= 8 * Number.EPSILON * largest ? NaN : Math.sqrt(square / Math.max(chosen.length - 1, 1));
  const z = new Float64Array(n).fill(NaN), lag = new Float64Array(n).fill(NaN);
  for (const r of chosen) z[r] = (values[r]! - mean) / spread;
  let all = 0, product = 0;
  for (const r of chosen) {
    let weight = 0, around = 0;
    for (let link = weights.offsets[r]!; link < weights.offsets[r + 1]!; link++) {
      const other = weights.neighbours[link]!;
      if (!tested[other]) continue;
      weight += weights.values[link]!;
      around += weights.values[link]! * z[other]!;
    }
    const scale = weights.rowStandardised && weight > 0 ? weight : 1;
    lag[r] = around / scale;
    all += weight / scale;
    product += z[r]! * lag[r]!;
  }
  const i = ((chosen.length / all) * product) / chosen.reduce((total, r) => total + z[r]! ** 2, 0);
  return { z, lag, tested, n: chosen.length, i };
}

function testedRegions(values: Float64Array, weights: Links): boolean[] {
  const counted = new Array<boolean>(values.length).fill(false);
  for (let r = 0; r < values.length; r++) {
    if (Number.isNaN(values[r]!)) continue;
    for (let link = weights.offsets[r]!; link < weights.offsets[r + 1]!; link++) {
      const other = weights.neighbours[link]!;
      if (!Number.isNaN(values[other]!)) counted[r] = counted[other] = true;
    }
  }
  return counted;
}

export type Quadrant = 'high-high' | 'low-low' | 'low-high' | 'high-low';

export function quadrant(z: number, lag: number): Quadrant | '' {
  if (Number.isNaN(z) || Number.isNaN(lag)) return '';
  return `${z > 0 ? 'high' : 'low'}-${lag > 0 ? 'high' : 'low'}` as Quadrant;
}

/** Least-squares slope of lag on z over some regions. */
export function slope(z: ArrayLike<number>, lag: ArrayLike<number>, regions: Iterable<number>): number {
  let n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (const r of regions) {
    const a = z[r]!, b = lag[r]!;
    if (Number.isNaN(a) || Number.isNaN(b)) continue;
    n++; x += a; y += b; xx += a * a; xy += a * b;
  }
  const spread = xx - (x * x) / n;
  return n > 1 && spread > 1e-12 ? (xy - (x * y) / n) / spread : NaN;
}

const DRAWS = 999;

/**
 * Clusters by conditional permutation in the page: 999 draws with a fixed seed, p directed as the peers print it.
 * They stand in for Python's while assumptions differ from the study file, and the page says so.
 */
export function clustersOf(found: Moran, weights: Links, values: Float64Array, alpha: number): string[] {
  const chosen = [...found.z.keys()].filter((r) => found.tested[r]);
  const random = generator(20260425);
  // one pool for all: whoever is tested goes to its end and the draws stir the rest, which stays as random as it was
  const pool = chosen.slice(), place = new Int32Array(found.z.length);
  pool.forEach((r, at) => (place[r] = at));
  const swap = (a: number, b: number) => {
    const r = pool[a]!;
    pool[a] = pool[b]!;
    pool[b] = r;
    place[pool[a]!] = a;
    place[r] = b;
  };
  const clusters: string[] = found.tested.map((tested, r) => (tested ? 'not significant' : Number.isNaN(values[r]!) ? 'undefined' : 'isolated'));
  chosen.forEach((r) => {
    const quarter = quadrant(found.z[r]!, found.lag[r]!);
    if (quarter === '') { clusters[r] = 'undefined'; return; }
    const own: number[] = [];
    let scale = 0;
    for (let link = weights.offsets[r]!; link < weights.offsets[r + 1]!; link++) {
      if (!found.tested[weights.neighbours[link]!]) continue;
      own.push(weights.values[link]!);
      scale += weights.values[link]!;
    }
    if (own.length === 0) { clusters[r] = 'isolated'; return; }
    const others = pool.length - 1;
    swap(place[r]!, others);
    let extreme = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      let around = 0;
      for (let k = 0; k < own.length; k++) {
        swap(k, k + Math.floor(random() * (others - k)));
        around += own[k]! * found.z[pool[k]!]!;
      }
      if (weights.rowStandardised) around /= scale;
      if (around * found.z[r]! >= found.lag[r]! * found.z[r]!) extreme++;
    }
    const p = (Math.min(extreme, DRAWS - extreme) + 1) / (DRAWS + 1);
    if (p <= alpha) clusters[r] = quarter;
  });
  return clusters;
}

/** mulberry32: small, fast, seeded. */
function generator(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
