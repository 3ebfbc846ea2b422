#!/usr/bin/env node
'use strict';
// In a clone the command runs straight from its sources; in an installed package, from what was compiled.
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
if (existsSync(join(root, 'src', 'cli', 'main.ts'))) {
  process.env.TS_NODE_PROJECT = join(root, 'tsconfig.json');
  require('ts-node/register/transpile-only');
  require('../src/cli/main.ts');
} else {
  require('../dist/src/cli/main.js');
}
