// The environment of the tests, and the functions that all of them use.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import OpenAI from 'openai';

export const GATEWAY_URL = setting('GATEWAY_URL');
export const SIMULATOR_URL = setting('SIMULATOR_URL');
export const ADMIN_TOKEN = setting('ADMIN_TOKEN');

/** No response takes longer, unless something between client and upstream buffers it. */
export const PATIENCE_MS = 10_000;

export const MODEL = 'gpt-4o-mini';

/** A well-formed key that was never issued. */
export const UNKNOWN_KEY = `sk_${'0'.repeat(64)}`;

/** An image of one pixel. */
export const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';

export const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather in a city',
      parameters: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
      },
    },
  },
];

/**
 * The providers: the components of spin.toml that may call the AI Gateway. Each has its models in
 * tests/models.json.
 */
export const PROVIDERS = providersOf(await readFile(projectFile('spin.toml'), 'utf8'));

const MODELS = JSON.parse(await readFile(projectFile('tests/models.json'), 'utf8'));

function projectFile(path) {
  return new URL(`../../../${path}`, import.meta.url);
}

function providersOf(manifest) {
  const components = manifest.split(/^\[component\./m).slice(1);
  const callsAiGateway = /^allowed_outbound_hosts.*ai_gateway_host/m;
  const providers = components.filter((text) => callsAiGateway.test(text));
  assert.notEqual(providers.length, 0, 'spin.toml has no provider');
  return providers.map((text) => text.slice(0, text.indexOf(']')));
}

/** Returns the models of a provider; fails for one that tests/models.json does not have. */
export function modelsOf(provider) {
  return MODELS[provider] ?? assert.fail(`add the models of ${provider} to tests/models.json`);
}

/** Returns a variable of the environment, without a trailing slash. */
function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set in the environment: these tests need a running gateway.`);
  }
  return value.replace(/\/$/, '');
}

/** Sends a POST request, with a JSON body if one is given. */
export function post(url, { bearer, body } = {}) {
  const headers = { 'content-type': 'application/json' };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch(url, { method: 'POST', headers, body: body && JSON.stringify(body), signal });
}

/** Creates a key and returns the gateway's record of it. */
export async function createKey(body = { teamId: 'sdk-node' }) {
  const response = await post(`${GATEWAY_URL}/tokens`, { bearer: ADMIN_TOKEN, body });
  assert.equal(response.status, 201);
  return response.json();
}

/** Returns a client that uses the given key, or a new one. */
export async function newClient({ apiKey, ...options } = {}) {
  return new OpenAI({
    apiKey: apiKey ?? (await createKey()).apiKey,
    baseURL: `${GATEWAY_URL}/openai`,
    timeout: PATIENCE_MS,
    // A failure that a second attempt would hide is still a failure.
    maxRetries: 0,
    ...options,
  });
}

/** Returns a chat request with one message. */
export function chat(content, more = {}) {
  return { model: MODEL, messages: [{ role: 'user', content }], ...more };
}

/** Returns request options that ask the simulated upstream for `what`. */
export function simulate(what, more = {}) {
  return { headers: { 'x-simulate': what }, ...more };
}

/** Lets a response of the simulated upstream that waits at the gate `name` continue. */
export async function openGate(name) {
  const response = await post(`${SIMULATOR_URL}/-/gates/${name}`);
  assert.equal(response.status, 200);
}

/** Collects the items of a stream. */
export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** Concatenates the text of chat chunks. */
export function textOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

/** Fails unless `promise` rejects with exactly `Class`, `status` and `code`; returns the error. */
export async function assertRaises(promise, Class, status, code) {
  const error = await promise.then(
    () => assert.fail(`expected ${Class.name}, got a response`),
    (reason) => reason,
  );
  assert.equal(error.constructor, Class, `expected ${Class.name}, got ${error.stack}`);
  assert.equal(error.status, status);
  assert.equal(error.code, code);
  return error;
}
