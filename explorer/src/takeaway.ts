/** What a reader takes along: a view as SVG or PNG, a table as CSV, text for the clipboard. */

const KEPT = ['fill', 'fill-opacity', 'stroke', 'stroke-width', 'stroke-dasharray', 'stroke-linejoin', 'stroke-linecap', 'stroke-opacity',
  'opacity', 'font-family', 'font-size', 'font-weight', 'text-anchor', 'dominant-baseline', 'paint-order', 'vector-effect', 'display', 'visibility'];
const GAP = 16;

export function save(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export interface Caption { title: string; subtitle: string; footer: string }

/** The SVGs of a view as one, styles inlined, with its heading and where it comes from. */
export function standalone(view: Element, caption: Caption): { text: string; width: number; height: number } {
  const parts = [...view.querySelectorAll<SVGSVGElement>('svg.plot')];
  const style = getComputedStyle(view);
  const ink = style.color, paper = style.backgroundColor;
  const legend = view.querySelector<HTMLElement>('[data-legend]');
  const width = Math.max(...parts.map((part) => part.getBoundingClientRect().width), 320) + 2 * GAP;
  let y = GAP;
  const body: string[] = [];
  const write = (text: string, size: number, weight: number, opacity = 1) => {
    y += size * 1.35;
    body.push(`<text x="${GAP}" y="${y.toFixed(1)}" font-size="${size}" font-weight="${weight}" fill="${ink}" opacity="${opacity}">${escaped(text)}</text>`);
  };
  write(caption.title, 15, 600);
  if (caption.subtitle) write(caption.subtitle, 11, 400, 0.75);
  y += 10;
  for (const part of parts) {
    const box = part.getBoundingClientRect();
    const clone = inlined(part);
    clone.setAttribute('x', String(GAP));
    clone.setAttribute('y', y.toFixed(1));
    clone.setAttribute('width', String(box.width));
    clone.setAttribute('height', String(box.height));
    body.push(new XMLSerializer().serializeToString(clone));
    y += box.height + 8;
  }
  for (const item of legend?.querySelectorAll<HTMLElement>('[data-swatch]') ?? []) {
    y += 15;
    body.push(`<rect x="${GAP}" y="${(y - 9).toFixed(1)}" width="14" height="10" fill="${item.dataset.swatch}" stroke="${ink}" stroke-opacity=".3"/>`);
    body.push(`<text x="${GAP + 20}" y="${y.toFixed(1)}" font-size="10.5" fill="${ink}">${escaped(item.innerText.replace(/\s+/g, ' ').trim())}</text>`);
  }
  if (caption.footer) write(caption.footer, 9, 400, 0.7);
  const height = Math.ceil(y + GAP);
  const text = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${escaped(style.fontFamily)}">`
    + `<rect width="100%" height="100%" fill="${paper}"/>${body.join('')}</svg>`;
  return { text, width, height };
}

export async function png(svg: { text: string; width: number; height: number }, scale = 2.5): Promise<Blob> {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([svg.text], { type: 'image/svg+xml' }));
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(svg.width * scale);
  canvas.height = Math.round(svg.height * scale);
  canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture'))), 'image/png'));
}

export type Cell = string | number | null;
export interface Table { columns: string[]; rows: Cell[][] }

/** A table as CSV with a byte-order mark, so that spreadsheets read Chinese; text that could be a formula is defused. */
export function csv(table: Table): string {
  return '\ufeff' + [table.columns, ...table.rows].map((row) => row.map(cell).join(',')).join('\r\n') + '\r\n';
}

export const tabbed = (table: Table): string => [table.columns, ...table.rows].map((row) => row.map((value) => (value === null ? '' : plain(value)).replace(/[\t\r\n]+/g, ' ')).join('\t')).join('\n');

function plain(value: string | number): string {
  return typeof value === 'number' ? (Number.isFinite(value) ? String(value) : '') : value;
}

function cell(value: Cell): string {
  if (value === null) return '';
  let text = plain(value);
  if (typeof value === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}

function inlined(source: SVGSVGElement): SVGSVGElement {
  const clone = source.cloneNode(true) as SVGSVGElement;
  const from = [source, ...source.querySelectorAll<SVGElement>('*')], to = [clone, ...clone.querySelectorAll<SVGElement>('*')];
  from.forEach((element, i) => {
    const target = to[i]!, style = getComputedStyle(element);
    if (style.display === 'none') { target.setAttribute('display', 'none'); return; }
    for (const name of KEPT) {
      const value = style.getPropertyValue(name);
      if (value) target.setAttribute(name, value);
    }
    for (const name of ['class', 'style', 'tabindex', 'role', 'aria-label', 'aria-selected', 'data-i', 'id']) if (name !== 'id' || !/^hatch|^dots|^inside/.test(target.id)) target.removeAttribute(name);
  });
  return clone;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
