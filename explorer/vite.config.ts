import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

const SOURCES = join(import.meta.dirname, 'src');
const ASSETS = join(import.meta.dirname, '../src/cobalance/explorer/assets');

const files = (): string[] => readdirSync(SOURCES).sort();

/** A word that either language lacks, or that is asked for and not there, ends the build. */
function words(): Plugin {
  return {
    name: 'words',
    buildStart() {
      const messages = JSON.parse(readFileSync(join(SOURCES, 'messages.json'), 'utf8')) as Record<string, Record<string, string>>;
      const wrong = Object.entries(messages).flatMap(([key, texts]) => ['en', 'zh'].filter((language) => !texts[language]?.trim()).map((language) => `${key} has no ${language}`));
      const holes = Object.entries(messages).filter(([, texts]) => placeholders(texts.en!) !== placeholders(texts.zh!)).map(([key]) => `${key}: other placeholders in zh than in en`);
      const asked = files().flatMap((file) => [...readFileSync(join(SOURCES, file), 'utf8').matchAll(/\bsay\((?:language, )?'([^']+)'/g)].map((match) => ({ file, key: match[1]! })));
      const lacking = asked.filter(({ key }) => !(key in messages)).map(({ file, key }) => `${file} says '${key}', which is not in messages.json`);
      const all = [...wrong, ...holes, ...lacking];
      if (all.length) this.error(`messages.json:\n${all.join('\n')}`);
    },
  };
}

const placeholders = (text: string): string => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join();

/** The hash of what was built, so that a test sees when the assets are older than their sources. */
function sources(): Plugin {
  return {
    name: 'sources',
    writeBundle() {
      const hash = createHash('sha256');
      for (const file of files()) hash.update(`${file}\n`).update(readFileSync(join(SOURCES, file)));
      writeFileSync(join(ASSETS, 'sources.sha256'), `${hash.digest('hex')}\n`);
    },
  };
}

export default defineConfig({
  plugins: [words(), svelte(), sources()],
  build: {
    outDir: ASSETS,
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    cssCodeSplit: false,
    rollupOptions: {
      input: join(SOURCES, 'main.ts'),
      output: { format: 'iife', entryFileNames: 'explorer.js', assetFileNames: 'explorer[extname]' },
    },
  },
  test: { include: ['test/**/*.test.ts'] },
} as Parameters<typeof defineConfig>[0]);
