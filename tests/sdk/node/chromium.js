// Chromium, for the tests that need a browser.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chromium } from 'playwright-core';

const PROGRAMS = ['chromium', 'chromium-browser', 'google-chrome'];

/** Whether tests that need a browser are left out: `--skip-browser`. */
export const skip = process.env.SKIP_BROWSER === '1';

/** Returns the browser to run. */
function program() {
  const isThere = (name) => spawnSync(name, ['--version']).status === 0;
  const found = process.env.CHROMIUM ?? PROGRAMS.find(isThere);
  return found ?? assert.fail('install Chromium, or name it in CHROMIUM, or pass --skip-browser');
}

/** Starts the browser. */
export function launch() {
  const path = spawnSync('which', [program()]).stdout.toString().trim();
  const args = ['--no-sandbox', '--disable-gpu'];
  return chromium.launch({ executablePath: path || program(), args });
}
