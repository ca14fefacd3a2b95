/** Outlines as SVG paths, from the arcs that neighbours share. */
import type { MapData } from './payload';

type Point = [number, number];

function points(arc: number[]): Point[] {
  const result: Point[] = [];
  let x = 0, y = 0;
  for (let i = 0; i < arc.length; i += 2) result.push([(x += arc[i]!), (y += arc[i + 1]!)]);
  return result;
}

/** One path a region, in grid cells; empty where a region has no outline. */
export function outlines(map: MapData): string[] {
  const arcs = map.arcs.map(points);
  return map.rings.map((rings) => rings.map((ring) => pathOf(ring, arcs)).join(''));
}

function pathOf(ring: number[], arcs: Point[][]): string {
  let text = '', x = 0, y = 0, first = true;
  for (const number of ring) {
    const forward = number >= 0 ? arcs[number]! : [...arcs[~number]!].reverse();
    for (const [px, py] of first ? forward : forward.slice(1)) {
      text += first ? `M${px} ${py}l` : `${px - x} ${py - y} `;
      x = px; y = py; first = false;
    }
  }
  return text === '' ? '' : `${text.trimEnd()}z`;
}

/** Whether a point lies within a closed line (even–odd). */
export function within(x: number, y: number, line: Point[]): boolean {
  let inside = false;
  for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
    const [ax, ay] = line[i]!, [bx, by] = line[j]!;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}
