/** The server behind a served page: every command carries the token of the page's own address. */
import type { Text } from './payload';

export interface Problem { code: string; place: Record<string, string | number>; found_en: string; found_zh: string; expected_en: string; expected_zh: string; remedy_en: string; remedy_zh: string }
export class Refused extends Error {
  constructor(readonly problems: Problem[]) { super(problems.map((problem) => problem.code).join(', ')); }
}

const token = new URLSearchParams(location.search).get('token') ?? '';
const HEADER = 'X-Cobalance-Token';

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  const answer = await fetch(path, { ...options, headers: { ...options.headers, [HEADER]: token } });
  if (!answer.ok) throw new Refused(((await answer.json()) as { problems: Problem[] }).problems);
  return answer;
}

export const get = async <T>(name: string): Promise<T> => (await ask(`/api/${name}`)).json() as Promise<T>;

export const post = async <T>(name: string, content: unknown = {}, signal?: AbortSignal): Promise<T> =>
  (await ask(`/api/${name}`, { method: 'POST', body: JSON.stringify(content), signal })).json() as Promise<T>;

export const upload = async <T>(file: File): Promise<T> =>
  (await ask(`/api/upload?name=${encodeURIComponent(file.name)}`, { method: 'POST', body: file })).json() as Promise<T>;

export interface Event_ extends Partial<Text> { stage?: string; part?: number; end?: 'done' | 'refused' | 'failed' | 'cancelled'; problems?: Problem[] }

/** Server-sent events, read by hand because an EventSource cannot carry a token. */
export async function* progress(): AsyncGenerator<Event_> {
  const reader = (await ask('/api/progress')).body!.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    const parts = waiting.split('\n\n');
    waiting = parts.pop()!;
    for (const part of parts) if (part.startsWith('data: ')) yield JSON.parse(part.slice(6)) as Event_;
  }
}

export interface Clusters { cluster: string[]; pseudo_p: (number | null)[]; moran_i: number | null; p_randomisation: number | null; global_pseudo_p: number | null; permutations: number }
