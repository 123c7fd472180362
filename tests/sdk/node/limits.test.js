import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import OpenAI from 'openai';

import { GATEWAY_URL, PATIENCE_MS, createKey, newClient, openGate } from './support.js';

const MESSAGES = [{ role: 'user', content: 'hello' }];

/** Returns a function per SDK that sends a chat request with a key. */
const SDKS = {
  async OpenAI(apiKey, body, options) {
    const client = await newClient({ apiKey, maxRetries: 3 });
    return client.chat.completions.create(
      { model: 'gpt-4o', max_tokens: 12, messages: MESSAGES, ...body }, options);
  },
  async Anthropic(apiKey, body, options) {
    const baseURL = `${GATEWAY_URL}/anthropic`;
    const client = new Anthropic({ apiKey, baseURL, timeout: PATIENCE_MS, maxRetries: 3 });
    return client.messages.create(
      { model: 'claude-sonnet-4-5', max_tokens: 12, messages: MESSAGES, ...body }, options);
  },
};

const RATE_LIMIT_ERRORS = { OpenAI: OpenAI.RateLimitError, Anthropic: Anthropic.RateLimitError };

for (const [name, send] of Object.entries(SDKS)) {
  test(`the SDK of ${name} waits as told when a rate is reached, and succeeds`, async () => {
    const { apiKey } = await createKey({ teamId: 'sdk-node', limits: { parallelRequests: 1 } });
    const gate = `node-${name}-${randomUUID()}`;
    const stream = await send(apiKey, { stream: true }, { headers: { 'x-simulate': `gate=${gate}` } });
    const start = performance.now();
    const waiting = send(apiKey);
    // The stream ends while the second request waits.
    await new Promise((resolve) => setTimeout(resolve, 300));
    await openGate(gate);
    for await (const _ of stream);
    await waiting;
    assert.ok(performance.now() - start > 900, 'it waited for the second it was told');
  });

  test(`the SDK of ${name} fails at once when a budget is used up`, async () => {
    const budgets = [{ unit: 'tokens', amount: 21, window: 'day' }];
    const { apiKey } = await createKey({ teamId: 'sdk-node', limits: { budgets } });
    await send(apiKey);
    const error = await untilRefused(() => send(apiKey));
    assert.ok(error instanceof RATE_LIMIT_ERRORS[name], error.stack);
    assert.match(error.message, /budget used up: this key may use 21 tokens per day/);
    assert.equal(error.headers.get('x-should-retry'), 'false');
  });
}

/** Repeats a request until it is refused: the one before settles after its response. */
async function untilRefused(send) {
  for (;;) {
    try {
      await send();
    } catch (error) {
      return error;
    }
  }
}

test('a refused request is sent once', async () => {
  const budgets = [{ unit: 'tokens', amount: 1, window: 'day' }];
  const { apiKey } = await createKey({ teamId: 'sdk-node', limits: { budgets } });
  let requests = 0;
  const counting = (...parameters) => {
    requests += 1;
    return fetch(...parameters);
  };
  const client = await newClient({ apiKey, maxRetries: 3, fetch: counting });
  const call = client.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES });
  await assert.rejects(call, /lower max_tokens/);
  assert.equal(requests, 1);
  const baseURL = `${GATEWAY_URL}/anthropic`;
  const anthropic = new Anthropic({ apiKey, baseURL, maxRetries: 3, fetch: counting });
  const message = anthropic.messages.create(
    { model: 'claude-sonnet-4-5', max_tokens: 12, messages: MESSAGES });
  await assert.rejects(message, /lower max_tokens/);
  assert.equal(requests, 2);
});

test('a key shows its own use', async () => {
  const limits = { requestsPerMinute: 100 };
  const { apiKey } = await createKey({ teamId: 'sdk-node', limits });
  await SDKS.OpenAI(apiKey);
  const headers = { authorization: `Bearer ${apiKey}` };
  const response = await fetch(`${GATEWAY_URL}/tokens/self/usage`, { headers });
  const { limits: [requests] } = await response.json();
  assert.deepEqual([requests.limit, requests.amount, requests.used], ['key requests/minute', 100, 1]);
});
