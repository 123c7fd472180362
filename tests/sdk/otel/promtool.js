// promtool, the tool that comes with Prometheus.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { DEPLOY } from './support.js';

const isInstalled = spawnSync('promtool', ['--version']).status === 0;

/** The reason why the tests that need promtool are skipped, if it is not installed. */
export const skip =
  !isInstalled && 'promtool is not installed: apt-get install prometheus (Debian, Ubuntu)';

/** Runs promtool in deploy/otel, and fails if it reports anything. */
export function promtool(args, { input, cwd = fileURLToPath(DEPLOY) } = {}) {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, cwd, encoding: 'utf8' });
  assert.equal(status, 0, `promtool ${args.join(' ')}\n${stdout}${stderr}`);
}
