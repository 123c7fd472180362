import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import OpenAI from 'openai';

import { UNKNOWN_KEY, assertRaises, chat, newClient, simulate } from './support.js';

const client = await newClient();

function ask(what, more) {
  return client.chat.completions.create(chat('hello'), simulate(what, more));
}

test('an unknown key raises an authentication error', async () => {
  const unauthorized = await newClient({ apiKey: UNKNOWN_KEY });
  const call = unauthorized.chat.completions.create(chat('hello'));
  const error = await assertRaises(call, OpenAI.AuthenticationError, 401, 'invalid_api_key');
  assert.equal(error.type, 'invalid_request_error');
});

test('a malformed key raises an authentication error', async () => {
  const unauthorized = await newClient({ apiKey: 'sk-proj-not-a-team-key' });
  const call = unauthorized.chat.completions.create(chat('hello'));
  await assertRaises(call, OpenAI.AuthenticationError, 401, 'invalid_api_key');
});

test('a body that the provider rejects raises a bad request error', async () => {
  const call = client.chat.completions.create({ model: 'gpt-4o', messages: [] });
  const error = await assertRaises(call, OpenAI.BadRequestError, 400, 'invalid_value');
  assert.equal(error.param, 'messages');
  assert.match(error.message, /'messages' is a required property/);
  assert.match(error.requestID, /^req_[0-9a-f]{32}$/);
  assert.equal(error.headers.get('x-upstream-request-id'), 'req_simulated');
});

test('an unknown model raises a not found error', async () => {
  const call = client.chat.completions.create(chat('hello', { model: 'no-such-model' }));
  const error = await assertRaises(call, OpenAI.NotFoundError, 404, 'not_found');
  assert.equal(error.param, 'model');
  const retrieved = client.models.retrieve('no-such-model');
  await assertRaises(retrieved, OpenAI.NotFoundError, 404, 'not_found');
});

test('a provider that Cloudflare cannot reach raises a server error', async () => {
  await assertRaises(
    ask('cloudflare=2005'), OpenAI.InternalServerError, 502, 'upstream_unreachable');
});

test("rejected credentials of the gateway do not raise an authentication error", async () => {
  await assertRaises(
    ask('cloudflare=2009'), OpenAI.InternalServerError, 502, 'gateway_credentials');
});

test('a blocked prompt raises a bad request error', async () => {
  await assertRaises(ask('cloudflare=2016'), OpenAI.BadRequestError, 400, 'content_filter');
});

test('an upstream that closes before its response raises a server error', async () => {
  await assertRaises(ask('cut=head'), OpenAI.InternalServerError, 502, 'upstream_unreachable');
});

test('a rate limit raises its error after the retries of the SDK', async () => {
  await assertRaises(
    ask('status=429', { maxRetries: 1 }), OpenAI.RateLimitError, 429, 'rate_limit_exceeded');

  // The upstream refuses two requests. The next one succeeds only if both attempts reached it.
  const twice = `status=429,times=2,id=node-${randomUUID()}`;
  await assertRaises(
    ask(twice, { maxRetries: 1 }), OpenAI.RateLimitError, 429, 'rate_limit_exceeded');
  const completion = await ask(twice, { maxRetries: 0 });
  assert.equal(completion.choices[0].message.content, 'You said: hello');
});

test('a retry of the SDK gets past one rate limit', async () => {
  const once = () => `status=429,times=1,id=node-${randomUUID()}`;
  await assertRaises(
    ask(once(), { maxRetries: 0 }), OpenAI.RateLimitError, 429, 'rate_limit_exceeded');
  const completion = await ask(once(), { maxRetries: 1 });
  assert.equal(completion.choices[0].message.content, 'You said: hello');
});
