import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { GATEWAY_URL, PATIENCE_MS, PROVIDERS, createKey } from './support.js';

const EXAMPLES = new URL('../../../examples/node/', import.meta.url);

const { apiKey } = await createKey();

/**
 * Runs a program and returns what it prints. The program is read from stdin, so that its imports
 * resolve to the packages of this folder.
 */
async function run(program) {
  const running = promisify(execFile)(process.execPath, ['--input-type=module', '-'], {
    cwd: import.meta.dirname,
    env: { ...process.env, GATEWAY_URL, GATEWAY_KEY: apiKey },
    timeout: PATIENCE_MS,
  });
  running.child.stdin.end(program);
  return (await running).stdout;
}

for (const provider of PROVIDERS) {
  test(`the example for ${provider} prints the response`, async () => {
    const program = await readFile(new URL(`${provider}/chat.mjs`, EXAMPLES), 'utf8');
    assert.match(program, new RegExp(`^// .*node ${provider}/chat\\.mjs\n`));
    assert.equal(await run(program), 'You said: Hello!\n');
  });
}

test('the examples use the tested packages', async () => {
  const dependencies = async (url) => JSON.parse(await readFile(url, 'utf8')).dependencies;
  const tested = await dependencies(new URL('package.json', import.meta.url));
  assert.deepEqual(await dependencies(new URL('package.json', EXAMPLES)), tested);
});
