import { mount } from 'svelte';
import App from './App.svelte';
import { unpacked } from './payload';
import { Explorer } from './state.svelte';
import './style.css';

async function begin(): Promise<void> {
  const root = document.getElementById('app')!;
  try {
    const payload = await unpacked(document.getElementById('payload')!.textContent!);
    const view = new Explorer(payload);
    const first = navigator.languages?.find((tag) => /^(zh|en)/i.test(tag)) ?? 'en';
    const wished = /^zh/i.test(first) ? 'zh' : 'en';
    view.language = payload.languages.includes(wished) ? wished : payload.languages[0]!;
    view.theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    if (location.hash.length > 1) view.restore(location.hash);
    root.textContent = '';
    mount(App, { target: root, props: { view } });
    (window as unknown as { cobalance: Explorer }).cobalance = view; // for scripts and tests
    document.documentElement.dataset.ready = 'true';
  } catch (error) {
    root.textContent = `This page could not be read. 页面无法读取。 ${String(error)}`;
    throw error;
  }
}

void begin();
