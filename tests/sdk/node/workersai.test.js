import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GATEWAY_URL, PATIENCE_MS, UNKNOWN_KEY, createKey } from './support.js';

const MODEL = '@cf/meta/llama-3.1-8b-instruct';

const { apiKey } = await createKey();

function run(path, body, { key = apiKey, what } = {}) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  if (what) headers['x-simulate'] = what;
  return fetch(`${GATEWAY_URL}/workers-ai/${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

/** Returns the data of server-sent events. */
function dataOf(text) {
  const events = text.split('\n\n').filter((event) => event.trim());
  return events.map((event) => event.trim().replace(/^data: /, ''));
}

/** Fails unless `response` is an error of `status` in Cloudflare's shape; returns its one error. */
async function assertCloudflareError(response, status) {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('content-type'), 'application/json');
  const body = await response.json();
  assert.equal(body.success, false);
  assert.equal(body.result, null);
  assert.deepEqual(body.messages, []);
  assert.equal(body.errors.length, 1);
  return body.errors[0];
}

for (const path of [MODEL, `run/${MODEL}`]) {
  test(`${path} responds in Cloudflare's shape`, async () => {
    const response = await run(path, { prompt: 'Grüße, 世界' });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      success: true,
      result: { response: 'You said: Grüße, 世界', usage: { total_tokens: 21 } },
      errors: [],
      messages: [],
    });
  });

  test(`${path} streams`, async () => {
    const response = await run(path, { prompt: 'one two Grüße', stream: true });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^text\/event-stream/);
    const data = dataOf(await response.text());
    assert.equal(data.pop(), '[DONE]');
    const words = data.map((text) => JSON.parse(text).response);
    assert.deepEqual(words, ['You ', 'said: ', 'one ', 'two ', 'Grüße']);
  });

  test(`${path} rejects an unknown key in Cloudflare's shape`, async () => {
    const response = await run(path, { prompt: 'hello' }, { key: UNKNOWN_KEY });
    const error = await assertCloudflareError(response, 401);
    assert.equal(error.code, 401);
    assert.match(error.message, /api key/);
  });
}

test("the provider's error passes unchanged", async () => {
  const response = await run(MODEL, { prompt: 'hello' }, { what: 'status=429' });
  const error = await assertCloudflareError(response, 429);
  assert.deepEqual(error, { code: 3429, message: 'simulated failure' });
});

for (const [what, status, message] of [
  ['cloudflare=2003', 429, 'ai gateway error 2003: Rate limited'],
  ['cloudflare=2009', 502, "the gateway's own credentials were rejected upstream"],
  ['policy=403', 403, 'ai gateway error: Access denied by policy'],
]) {
  test(`the AI Gateway's ${what} is an error in Cloudflare's shape`, async () => {
    const response = await run(MODEL, { prompt: 'hello' }, { what });
    const error = await assertCloudflareError(response, status);
    assert.deepEqual(error, { code: status, message });
  });
}

test('a stream that the upstream cuts ends with an error and without [DONE]', async () => {
  const response = await run(MODEL, { prompt: 'one two', stream: true }, { what: 'cut=body' });
  const data = dataOf(await response.text()).map((text) => JSON.parse(text));
  assert.equal(data.length, 2);
  assert.deepEqual(data[0], { response: 'You ' });
  assert.equal(data[1].success, false);
  assert.match(data[1].errors[0].message, /^the upstream /);
});
