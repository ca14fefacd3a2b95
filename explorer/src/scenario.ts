/** A scenario as files that `cobalance run` takes: the study file with what was changed, and a coefficient table. */
import { differs, type Model, type Scenario } from './model';
import type { Kind, Parameter, Payload, Row } from './payload';
import { csv, type Cell } from './takeaway';
import { yaml } from './yaml';
import type { File_ } from './zip';

export const COEFFICIENTS = 'scenario-coefficients.csv';
const COLUMNS = ['quantity', 'item', 'region', 'year', 'value', 'low', 'high', 'unit', 'basis', 'source', 'locator', 'status', 'note'];
const FACTORS: Record<Kind, string[]> = {
  fuel: ['emission_factor'], cement: ['cement_factor'], respiration: ['respiration_carbon', 'respiration_oxygen'], inventory: [],
};

/** What of a scenario no study file can say. */
export function notCarried(payload: Payload, scenario: Scenario): string[] {
  const inventories = payload.sources.filter((source) => source.key in scenario.cuts && (source.kind === 'inventory' || !payload.outlook));
  return [
    ...inventories.map((source) => `cut of ${source.key}: ${scenario.cuts[source.key]}`),
    ...Object.entries(scenario.convert).map(([item, share]) => `land conversion of ${item}: ${share}`),
  ];
}

export function scenarioFiles(payload: Payload, scenario: Scenario, model: Model): File_[] {
  const name = `${payload.study_file.replace(/\.ya?ml$/i, '')}-scenario.yaml`;
  const study = structuredClone(payload.study) as Record<string, Record<string, unknown>>;
  if (scenario.phi !== null) study.ecological_land!.phi = scenario.phi;
  if (scenario.models !== null && study.outlook) study.outlook.models = scenario.models;
  const rows = coefficientRows(payload, scenario, model);
  for (const family of new Set([...Object.keys(scenario.sets), ...rows.map((entry) => entry.parameter.family)])) {
    const items = rows.filter((entry) => entry.parameter.family === family).map((entry) => entry.parameter.item);
    study.coefficients![family] = preference(study.coefficients![family], scenario.sets[family], items);
  }
  const lost = notCarried(payload, scenario);
  const head = [
    `# A scenario made in the explorer from ${payload.study_file}. Keep it in the same folder: its paths count from there.`,
    `#     cobalance run ${name} --output ${name.replace(/\.yaml$/, '')}`,
    ...(lost.length ? ['# Not carried, because a study file cannot say it:', ...lost.map((text) => `#   ${text}`)] : []),
  ];
  const files = [{ name, text: `${head.join('\n')}\n${yaml(study)}` }];
  if (rows.length) files.push({ name: COEFFICIENTS, text: table(rows) });
  return differs(scenario) ? files : files.slice(0, 1);
}

interface Entry { parameter: Parameter; rows: Row[] }

/** The rows of every item that was changed or is cut in the target year. */
function coefficientRows(payload: Payload, scenario: Scenario, model: Model): Entry[] {
  const parameters = model.parameters(scenario);
  const target = payload.outlook?.target;
  const cuts = new Map<string, number>();
  for (const source of payload.sources) {
    const cut = scenario.cuts[source.key];
    if (cut === undefined || target === undefined) continue;
    for (const quantity of FACTORS[source.kind]) cuts.set(`${quantity}/${{ fuel: source.key, cement: 'cement', respiration: 'person', inventory: '' }[source.kind]}`, cut);
  }
  const wanted = new Set([...Object.keys(scenario.values), ...cuts.keys()]);
  for (const id of [...wanted]) {
    const [quantity, item] = id.split('/') as [string, string];
    // a set's oxygen rate counts only beside its own carbon rate, and its own oxygen only if it is there
    if (quantity === 'oxygen_release_rate') wanted.add(`sequestration_rate/${item}`);
    const oxygen = parameters.get(`oxygen_release_rate/${item}`);
    if (quantity === 'sequestration_rate' && oxygen && !oxygen.follows) wanted.add(oxygen.id);
    if (quantity === 'respiration_carbon') wanted.add('respiration_oxygen/person');
    if (quantity === 'respiration_oxygen') wanted.add('respiration_carbon/person');
  }
  return [...wanted].flatMap((id): Entry[] => {
    const parameter = parameters.get(id);
    if (!parameter) return [];
    const cut = cuts.get(id);
    return [{ parameter, rows: cut === undefined ? parameter.rows : withTargetYear(parameter.rows, target!, 1 - cut) }];
  });
}

/** Rows in which the target year alone is scaled; a region's undated row gets a dated one beside it. */
function withTargetYear(rows: Row[], target: number, kept: number): Row[] {
  const scaled = (row: Row): Row => ({ ...row, year: target, value: row.value * kept, low: null, high: null });
  const dated = new Set(rows.filter((row) => row.year === target).map((row) => row.region));
  return rows.flatMap((row) => {
    if (row.year === target) return [scaled(row)];
    return row.year === null && !dated.has(row.region) ? [row, scaled(row)] : [row];
  });
}

function table(entries: Entry[]): string {
  const rows = entries.flatMap(({ parameter, rows }) => rows.map((row): Cell[] => [
    parameter.quantity, parameter.item, row.region, row.year, row.value, row.low, row.high, row.unit, row.basis,
    'set in the explorer', `from ${row.set}: ${row.locator || row.source}`, 'U', '',
  ]));
  return csv({ columns: COLUMNS, rows });
}

/** The study's choice with the scenario's own rows first, another set next, and what was chosen before last. */
function preference(before: unknown, set: string | undefined, items: string[]): unknown {
  const own = items.length ? [COEFFICIENTS] : [], other = set ? [set] : [];
  if (before === null || typeof before !== 'object' || Array.isArray(before)) return [...own, ...other, ...(Array.isArray(before) ? before : [before])];
  const choice = before as Record<string, string>;
  return { ...choice, ...(set ? { default: set } : {}), ...Object.fromEntries(items.filter((item) => item !== 'person').map((item) => [item, COEFFICIENTS])) };
}
