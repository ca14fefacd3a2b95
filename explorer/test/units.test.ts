import { describe, expect, it } from 'vitest';
import { balanceClasses, inkOn, quantityClasses, ticks } from '../src/classes';
import { outlines, within } from '../src/geometry';
import { changed, ratio, sum, undefinedReason } from '../src/model';
import { moran, quadrant, slope, type Links } from '../src/moran';
import { csv, tabbed } from '../src/takeaway';
import { number, quantity, say, unitText, word } from '../src/words';
import { yaml } from '../src/yaml';
import { zip } from '../src/zip';

describe('sums and ratios', () => {
  it('missing is not zero', () => {
    expect([...sum([Float64Array.of(1, NaN), Float64Array.of(2, 3)])]).toEqual([3, NaN]);
    expect([...ratio(Float64Array.of(6, 6, 6), Float64Array.of(2, 0, -1))]).toEqual([3, NaN, NaN]);
    expect([undefinedReason(NaN, 0), undefinedReason(1, NaN), undefinedReason(1, 0), undefinedReason(1, -1), undefinedReason(0, 1)])
      .toEqual(['burden missing', 'capacity missing', 'capacity zero', 'capacity negative', '']);
  });
  it('one row takes a value, several a factor', () => {
    const row = { region: '*', year: null, value: 2, low: 1, high: 3, unit: '', basis: '', set: '', source: '', locator: '', status: '' };
    expect(changed([row], 5).map((own) => own.value)).toEqual([5]);
    expect(changed([row, { ...row, value: 4 }], 1.5).map((own) => own.value)).toEqual([3, 6]);
  });
});

describe('Moran', () => {
  // four regions in a row, each with its neighbours, row-standardised; the last has no value
  const weights: Links = { offsets: Int32Array.of(0, 1, 3, 5, 6), neighbours: Int32Array.of(1, 0, 2, 1, 3, 2), values: Float64Array.of(1, 0.5, 0.5, 0.5, 0.5, 1), rowStandardised: true };
  it('leaves out what is missing and standardises anew', () => {
    // 1 2 6: mean 3, s = √((4 + 1 + 9) / 2) = √7; z = −2/√7, −1/√7, 3/√7; lag₂ = (z₁ + z₃)/2 = 0.5/√7, lag₃ = z₂
    const found = moran(Float64Array.of(1, 2, 6, NaN), weights);
    expect(found.n).toBe(3);
    expect(found.z[1]).toBeCloseTo(-1 / Math.sqrt(7), 14);
    expect(found.lag[1]).toBeCloseTo(0.5 / Math.sqrt(7), 14);
    expect(found.lag[2]).toBeCloseTo(-1 / Math.sqrt(7), 14);
    // I = 3/3 · Σ z lag / Σ z² = ((2·1 − 1·0.5 − 3·1) / 7) / 2
    expect(found.i).toBeCloseTo(-1.5 / 14, 14);
    expect(Number.isNaN(found.z[3]!)).toBe(true);
  });
  it('gives a constant no z', () => expect(Number.isNaN(moran(Float64Array.of(2, 2, 2, 2), weights).z[0]!)).toBe(true));
  it('names quadrants as Anselin does: own value first', () => expect([quadrant(1, -1), quadrant(-1, 1), quadrant(NaN, 1)]).toEqual(['high-low', 'low-high', '']));
  it('fits a slope', () => {
    expect(slope([0, 1, 2], [1, 3, 5], [0, 1, 2])).toBeCloseTo(2, 14);
    expect(slope([1, 1], [0, 5], [0, 1])).toBeNaN();
  });
});

describe('classes', () => {
  it('always cuts at 1, and an upper limit belongs to its class', () => {
    const found = balanceClasses([0.2, 0.7, 1, 1.4, 2.5]);
    expect(found.limits).toEqual([0.25, 0.5, 1, 2]);
    expect([0.2, 1, 1.0001, NaN].map((value) => found.of(value))).toEqual([0, 2, 3, -1]);
    expect(found.colours).toHaveLength(5);
  });
  it('never has more than seven', () => expect(balanceClasses(Array.from({ length: 400 }, (_, i) => 1.03 ** (i - 150))).colours.length).toBeLessThanOrEqual(7));
  it('bears no values at all', () => expect(quantityClasses([NaN], 'burden').colours).toHaveLength(1));
  it('draws round ticks', () => expect(ticks(0, 10, 5)).toEqual([0, 2, 4, 6, 8, 10]));
  it('writes so that it can be read', () => expect([inkOn('#2166ac'), inkOn('#fdb863')]).toEqual(['#fdfdfd', '#11181b']));
});

describe('geometry', () => {
  it('closes rings over shared arcs', () => {
    const map = { width: 2, height: 1, arcs: [[1, 0, 0, 1], [1, 1, -1, 0, 0, -1, 1, 0], [1, 0, 1, 0, 0, 1, -1, 0]], rings: [[[0, 1]], [[2, ~0]]], points: [], frames: [], metres: 1 };
    expect(outlines({ ...map, points: [null, null] })).toEqual(['M1 0l0 1 -1 0 0 -1 1 0z', 'M1 0l1 0 0 1 -1 0 0 -1z']);
  });
  it('knows inside', () => expect([within(1, 1, [[0, 0], [2, 0], [2, 2], [0, 2]]), within(3, 1, [[0, 0], [2, 0], [2, 2], [0, 2]])]).toEqual([true, false]));
});

describe('what is taken away', () => {
  it('defuses formulas and quotes', () => expect(csv({ columns: ['a', 'b'], rows: [['=1+1', 'x"y'], [-5, null], ['-x', NaN]] })).toBe('\ufeffa,b\r\n\'=1+1,"x""y"\r\n-5,\r\n\'-x,\r\n'));
  it('keeps tabs out of cells', () => expect(tabbed({ columns: ['a'], rows: [['x\ty\nz']] })).toBe('a\nx y z'));
  it('writes YAML that keeps text as text', () => expect(yaml({ code: '06', no: 'no', list: [1, { a: null }], empty: {}, title: 'a: b' })).toBe('code: "06"\n"no": "no"\nlist:\n  - 1\n  - a: null\nempty: {}\ntitle: "a: b"\n'));
  it('packs a ZIP with the right checksum', async () => {
    const bytes = new DataView(await zip([{ name: 'a.txt', text: 'hello' }]).arrayBuffer());
    expect([bytes.getUint32(0, true), bytes.getUint32(14, true)]).toEqual([0x04034b50, 0x3610a686]);
  });
});

describe('words', () => {
  it('writes numbers as each language does', () => {
    expect(quantity('zh', 4.242e9, 't C / yr', 4)).toBe('42.42亿 t C/a');
    expect(quantity('en', 4.242e9, 't C / yr', 4)).toBe('4.242 Gt C/yr');
    expect([number('en', NaN), number('en', 0.00123456), number('en', 1234.56)]).toEqual(['—', '0.00123', '1,235']);
    expect(unitText('zh', 't O2 / ha / yr')).toBe('t O₂/hm²/a');
  });
  it('fills what it is given', () => expect(say('en', 'bar.selected', { n: 3 })).toBe('3 selected'));
  it('leaves a word of the user as it is', () => expect([word('zh', 'coal'), word('zh', 'own_source')]).toEqual(['煤', 'own source']));
});
