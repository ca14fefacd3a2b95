import { mount } from 'svelte';
import App from './App.svelte';
import { unpacked } from './payload';
import Setup from './Setup.svelte';
import { Explorer } from './state.svelte';
import './style.css';

async function begin(): Promise<void> {
  const root = document.getElementById('app')!;
  const life = document.querySelector<HTMLMetaElement>('meta[name=cobalance]')?.content ?? 'file';
  const first = navigator.languages?.find((tag) => /^(zh|en)/i.test(tag)) ?? 'en';
  const wished = /^zh/i.test(first) ? 'zh' : 'en';
  const theme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  document.documentElement.dataset.theme = theme;
  try {
    if (life === 'setup') {
      root.textContent = '';
      mount(Setup, { target: root, props: { language: wished } });
    } else {
      const payload = await unpacked(document.getElementById('payload')!.textContent!);
      const view = new Explorer(payload);
      view.live = life === 'results';
      view.language = payload.languages.includes(wished) ? wished : payload.languages[0]!;
      view.theme = theme;
      if (location.hash.length > 1) view.restore(location.hash);
      root.textContent = '';
      mount(App, { target: root, props: { view } });
      (window as unknown as { cobalance: Explorer }).cobalance = view; // for scripts and tests
    }
    document.documentElement.dataset.ready = 'true';
  } catch (error) {
    root.textContent = `This page could not be read. 页面无法读取。 ${String(error)}`;
    throw error;
  }
}

void begin();
