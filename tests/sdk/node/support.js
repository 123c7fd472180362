// The surroundings of the tests, and what all of them need.

import assert from 'node:assert/strict';
import OpenAI from 'openai';

export const GATEWAY_URL = setting('GATEWAY_URL');
export const SIMULATOR_URL = setting('SIMULATOR_URL');
export const ADMIN_TOKEN = setting('ADMIN_TOKEN');

/** No answer takes longer, unless something between client and upstream holds it back. */
export const PATIENCE_MS = 10_000;

export const MODEL = 'gpt-4o-mini';

/** A key of the right form that nobody was given. */
export const UNKNOWN_KEY = `sk_${'0'.repeat(64)}`;

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

function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set in the environment: these tests need a running gateway.`);
  }
  return value.replace(/\/$/, '');
}

export function post(url, { bearer, body } = {}) {
  const headers = { 'content-type': 'application/json' };
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch(url, { method: 'POST', headers, body: body && JSON.stringify(body), signal });
}

/** A new key, as the gateway tells it. */
export async function createKey(wish = { teamId: 'sdk-node' }) {
  const response = await post(`${GATEWAY_URL}/tokens`, { bearer: ADMIN_TOKEN, body: wish });
  assert.equal(response.status, 201);
  return response.json();
}

/** A client for a key, a new one if none is given. */
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

/** A chat request of one message. */
export function chat(content, more = {}) {
  return { model: MODEL, messages: [{ role: 'user', content }], ...more };
}

/** Request options that ask the simulated upstream for `what`. */
export function simulate(what, more = {}) {
  return { headers: { 'x-simulate': what }, ...more };
}

export async function openGate(name) {
  const response = await post(`${SIMULATOR_URL}/-/gates/${name}`);
  assert.equal(response.status, 200);
}

/** Everything a stream brings. */
export async function collect(stream) {
  const items = [];
  for await (const item of stream) items.push(item);
  return items;
}

/** The text of chat chunks. */
export function textOf(chunks) {
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

/** Fails unless `promise` rejects with exactly `Class`, `status` and `code`; returns the error. */
export async function assertRaises(promise, Class, status, code) {
  const error = await promise.then(
    () => assert.fail(`expected ${Class.name}, got an answer`),
    (reason) => reason,
  );
  assert.equal(error.constructor, Class, `expected ${Class.name}, got ${error.stack}`);
  assert.equal(error.status, status);
  assert.equal(error.code, code);
  return error;
}
