// Puts the build of the console where the Go program embeds it, each file with
// its compressed forms, and fails when the scripts are over their budget.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

import { scriptBudget, scriptBytes } from './budget.mjs';

const web = dirname(dirname(fileURLToPath(import.meta.url)));
const from = join(web, 'dist');
const to = join(web, '..', 'shared', 'console', 'dist');

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

function brotli(content) {
  return brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
}

// write replaces a file at once, so that a Go build beside this one never
// embeds half of it.
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, content);
  renameSync(`${path}.new`, path);
}

const written = new Set([join(to, '.gitignore')]);
const sizes = [];
// The page goes last: it names the others.
const built = filesUnder(from).sort((a, b) => Number(a.endsWith('.html')) - Number(b.endsWith('.html')));
for (const path of built) {
  const name = relative(from, path).split(sep).join('/');
  const content = readFileSync(path);
  const gzip = gzipSync(content, { level: 9 });
  sizes.push({ name, plain: content.length, gzip: gzip.length });
  for (const [ext, form] of [['', content], ['.br', brotli(content)], ['.gz', gzip]]) {
    // A compressed form that saves less than a tenth is not worth a choice.
    if (ext !== '' && form.length > content.length * 0.9) continue;
    write(join(to, name + ext), form);
    written.add(join(to, name + ext));
  }
}
for (const path of filesUnder(to)) {
  if (!written.has(path) && statSync(path).isFile()) rmSync(path);
}
for (const { name, plain, gzip } of sizes) {
  console.log(`${name.padEnd(36)} ${String(plain).padStart(8)} ${String(gzip).padStart(8)} gzip`);
}
const scripts = scriptBytes(sizes);
if (scripts === 0 || scripts > scriptBudget) {
  console.error(`The scripts have ${scripts} bytes after gzip; 1 to ${scriptBudget} are allowed.`);
  process.exit(1);
}
