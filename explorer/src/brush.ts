/** Pointing at many: a click takes what lies under it, a drag a rectangle or a lasso. Works on any SVG. */
import { within } from './geometry';

export interface Brush {
  tool(): 'rectangle' | 'lasso';
  touch(): boolean;
  /** where each item stands, in the SVG's own coordinates */
  points(): ArrayLike<readonly [number, number] | null>;
  select(items: number[], add: boolean): void;
  click(item: number | null, add: boolean): void;
  hover(item: number | null, event: PointerEvent): void;
  draw(path: string): void;
}

const STEADY = 4; // pixels that a click may slip

export function brush(svg: SVGSVGElement, options: Brush): { destroy(): void } {
  let start: [number, number] | null = null, line: [number, number][] = [], base: number[] | null = null, frame = 0;
  let pressed: [number, number] = [0, 0];

  const local = (event: PointerEvent): [number, number] => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM()!.inverse());
    return [point.x, point.y];
  };
  const itemAt = (event: PointerEvent): number | null => {
    const found = (event.target as Element).closest('[data-i]');
    return found ? Number(found.getAttribute('data-i')) : null;
  };
  const shape = (end: [number, number]): [number, number][] => {
    if (options.tool() === 'lasso') return line;
    const [x, y] = start!;
    return [[x, y], [end[0], y], end, [x, end[1]]];
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || (event.pointerType === 'touch' && !options.touch())) return;
    start = local(event);
    pressed = [event.clientX, event.clientY];
    line = [start];
    base = null;
  };
  const move = (event: PointerEvent) => {
    if (!start) { options.hover(itemAt(event), event); return; }
    if (base === null) {
      if (Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) < STEADY) return;
      base = [];
      svg.setPointerCapture(event.pointerId);
      options.hover(null, event);
    }
    const end = local(event);
    line.push(end);
    cancelAnimationFrame(frame);
    const add = event.shiftKey;
    frame = requestAnimationFrame(() => {
      if (!start) return;
      const outline = shape(end);
      options.draw(`M${outline.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}Z`);
      const points = options.points(), items: number[] = [];
      for (let i = 0; i < points.length; i++) {
        const point = points[i];
        if (point && within(point[0], point[1], outline)) items.push(i);
      }
      options.select(items, add);
    });
  };
  const up = (event: PointerEvent) => {
    if (event.type === 'pointerup' && event.button === 0 && base === null && (start || event.pointerType === 'touch')) {
      options.click(itemAt(event), event.shiftKey || event.ctrlKey || event.metaKey);
    }
    start = null;
    base = null;
    options.draw('');
  };
  const leave = (event: PointerEvent) => { if (!start) options.hover(null, event); };
  const listeners: [string, (event: PointerEvent) => void][] = [
    ['pointerdown', down], ['pointermove', move], ['pointerup', up], ['pointercancel', up], ['pointerleave', leave],
  ];
  for (const [name, listener] of listeners) svg.addEventListener(name, listener as EventListener);
  return { destroy: () => { for (const [name, listener] of listeners) svg.removeEventListener(name, listener as EventListener); } };
}
