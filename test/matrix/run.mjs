#!/usr/bin/env node
/**
 * `npm run matrix`: the specs of stores and consuming on every server and client library that Millrace promises to work
 * with, and a service on every Nest, with the specs that lean on Nest on the oldest. What this machine does not have is named and left out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { findRedis } from '@millrace/testing';
import { clientLegs } from './clients.mjs';
import { nestLegs } from './nest-legs.mjs';
import { nestSpecLegs } from './nest-specs.mjs';
import { serverLegs } from './server-legs.mjs';

const KINDS = { servers: serverLegs, clients: clientLegs, nest: (how) => [...nestLegs(how), ...nestSpecLegs(how)] };

const program = new Command('npm run matrix --')
  .description('Runs the specs of stores and consuming on every server and client at hand.')
  .addOption(new Option('--only <kind>', 'one kind of legs').choices(Object.keys(KINDS)))
  .option('--short', 'what every change has to pass: the conformance suite, and the oldest Nest', false)
  .parse();
const { only, short } = program.opts();

const folder = mkdtempSync(join(tmpdir(), 'millrace-matrix-'));
const redis = await findRedis({ skip: ['url'], say: (sentence) => console.error(sentence) });
const lines = [];
let failed = false;
try {
  for (const [kind, legs] of Object.entries(KINDS)) {
    if (only && kind !== only) continue;
    for (const { name, skipped, run } of legs({ folder, short })) {
      if (skipped) {
        lines.push(['-', name, skipped]);
        continue;
      }
      console.error(`\n== ${name}`);
      const begun = Date.now();
      const { passed, summary } = run(redis);
      failed ||= !passed;
      lines.push([passed ? '✓' : '✗', name, `${summary}, ${Math.round((Date.now() - begun) / 1000)} s`]);
    }
  }
} finally {
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
}

console.log();
for (const [mark, name, text] of lines) console.log(`${mark} ${name.padEnd(20)} ${text}`);
process.exitCode = failed ? 1 : 0;
