/** What Python wrote into the page: types, and how it is read. */

export type Language = 'en' | 'zh';
export interface Text { en: string; zh: string }
export interface Encoded { kind: 'f8' | 'f4' | 'i4' | 'u2' | 'u1'; shape: number[]; at: number; bytes?: Uint8Array<ArrayBuffer> }
export interface Drawn { scale: Encoded; steps: Encoded }
export interface Words { words: string[]; codes: Encoded }
export type Numbers = Float64Array | Float32Array | Int32Array | Uint16Array | Uint8Array;

export interface Row {
  region: string; year: number | null; value: number; low: number | null; high: number | null;
  unit: string; basis: string; set: string; source: string; locator: string; status: string;
}
export interface Parameter { id: string; quantity: string; item: string; family: string; follows: boolean; rows: Row[] }
export interface Alternative { set: string; basis: string; parameters: Parameter[] }
export type Kind = 'fuel' | 'cement' | 'respiration' | 'inventory';
export interface Source { key: string; kind: Kind; unit: string }
export interface Group { key: string; en: string; zh: string; members: number[] }
export type Record_ = Record<string, number | string | null>;

export interface OutlookData {
  target: number; window: [number, number]; apply: 'level' | 'growth'; definition: Text | null;
  models: string[]; chosen: string[]; activities: string[]; units: string[]; years: number[]; window_years: number[];
  combination: string; ensemble_at_target: Encoded | null; ensemble_at_base: Encoded | null; ensemble_path: Drawn | null; last_value: boolean;
  past_errors: { activity: string; model: string; horizon: number; error: number }[];
  path: Drawn; at_target: Encoded; at_base: Encoded | null; observed: Encoded; reason: Words;
}
export interface SpaceData {
  variables: string[]; significance: number; cluster: Words; pseudo_p: Encoded; global: Record_[];
  gravity: (Record_ & { place?: [number, number] })[];
  weights: { offsets: Encoded; neighbours: Encoded; values: Encoded; row_standardised: boolean; en: string; zh: string } | null;
}
export interface MapData {
  width: number; height: number; arcs: number[][]; rings: number[][][]; points: ([number, number] | null)[];
  frames: [number, number, number, number][]; metres: number;
}
export interface CompensationData {
  target: 'carbon' | 'oxygen'; price: number; flows: { from: number; to: number; value: number; km: number }[]; unmet: { region: number; value: number }[];
}
export interface Intervals { balance: Record<'carbon' | 'oxygen', Encoded>; gap: Record<'carbon' | 'oxygen', Encoded>; text: Text }
export interface Steps { file: number[]; row: number[] }
export interface Cells { files: string[]; raw: string[][]; land: Steps | null; source: Steps | null }
export interface Payload {
  format: number; generator: string; title: Text; languages: Language[]; years: number[];
  regions: { codes: string[]; en: string[]; zh: string[] };
  groups: Group[]; land_classes: string[]; land_area: Encoded; sources: Source[]; activity: Encoded;
  own_oxygen: Record<string, Encoded>;
  flags: { land: Words; source: Words };
  parameters: Parameter[]; alternatives: Record<string, Alternative[]>;
  land: { phi: number; base_year: number; reference: string; classes: string[] | null; convertible: Record<string, number> };
  outlook: OutlookData | null; space: SpaceData | null; map: MapData | null;
  boundary: { source: string; review_number: string | null } | null;
  compensation: CompensationData | null; intervals: Intervals | null; cells: Cells | null;
  printed: { carbon_balance_coefficient: Encoded; oxygen_balance_coefficient: Encoded; ecological_land_gap?: Encoded };
  basis: string; weak: Record<string, string[]>; notices: Record<string, string>[];
  reasons: Record<'balance' | 'land', Record<string, Text>>; variables: Record<string, Text>;
  study: Record<string, unknown>; study_file: string;
}

function bytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const result = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) result[i] = text.charCodeAt(i);
  return result;
}

const WIDTH = { f8: 8, f4: 4, i4: 4, u2: 2, u1: 1 };

/** Numbers as they were encoded, bytes of each number brought together; little-endian, as every browser's machine is. */
export function numbers(encoded: Encoded): Numbers {
  const width = WIDTH[encoded.kind], planes = encoded.bytes!, n = planes.length / width;
  const bytes = new Uint8Array(planes.length);
  for (let b = 0; b < width; b++) for (let i = 0, from = b * n; i < n; i++) bytes[i * width + b] = planes[from + i]!;
  switch (encoded.kind) {
    case 'f8': return new Float64Array(bytes.buffer);
    case 'f4': return new Float32Array(bytes.buffer);
    case 'i4': return new Int32Array(bytes.buffer);
    case 'u2': return new Uint16Array(bytes.buffer);
    case 'u1': return bytes;
  }
}

export const floats = (encoded: Encoded): Float64Array => Float64Array.from(numbers(encoded));

/** Numbers that are only drawn: steps of each line's largest value. */
export function lines(drawn: Drawn): Float64Array {
  const scale = floats(drawn.scale), steps = numbers(drawn.steps), width = steps.length / Math.max(scale.length, 1);
  return Float64Array.from(steps, (step, i) => (step === 65535 ? NaN : (step / 65534) * scale[Math.floor(i / width)]!));
}

/** The file and row of each cell, from differences to the cell before. */
export function places(steps: Steps): { file: Int32Array; row: Int32Array } {
  const summed = (differences: number[]) => { let total = 0; return Int32Array.from(differences, (step) => (total += step)); };
  return { file: summed(steps.file), row: summed(steps.row) };
}

/** The payload from base64 of gzip: the length of the JSON, the JSON, the arrays' bytes. */
export async function unpacked(text: string): Promise<Payload> {
  const stream = new Blob([bytes(text.trim())]).stream().pipeThrough(new DecompressionStream('gzip'));
  const whole = await new Response(stream).arrayBuffer();
  const end = 4 + new DataView(whole).getUint32(0, true);
  const content = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, end - 4))) as Payload;
  attach(content, whole, end);
  return content;
}

function attach(node: unknown, whole: ArrayBuffer, start: number): void {
  if (typeof node !== 'object' || node === null) return;
  const own = node as Partial<Encoded>;
  if (own.kind && own.shape && own.at !== undefined) {
    own.bytes = new Uint8Array(whole, start + own.at, own.shape.reduce((a, b) => a * b, 1) * WIDTH[own.kind]);
  } else for (const part of Object.values(node)) attach(part, whole, start);
}
