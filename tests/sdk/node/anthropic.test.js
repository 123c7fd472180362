import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  GATEWAY_URL,
  PATIENCE_MS,
  UNKNOWN_KEY,
  assertRaises,
  chat,
  collect,
  createKey,
  simulate,
} from './support.js';

const MODEL = 'claude-sonnet-4-5';

/** A client that sends its key as `x-api-key`, as this SDK does. */
function newAnthropic(apiKey) {
  const baseURL = `${GATEWAY_URL}/anthropic`;
  return new Anthropic({ apiKey, baseURL, timeout: PATIENCE_MS, maxRetries: 0 });
}

const client = newAnthropic((await createKey()).apiKey);

function request(content, more = {}) {
  return chat(content, { model: MODEL, max_tokens: 100, ...more });
}

function ask(what) {
  return client.messages.create(request('hello'), simulate(what));
}

/** Like `assertRaises`, for an error in Anthropic's shape with `type`. */
async function assertAnthropicError(promise, Class, status, type) {
  const error = await assertRaises(promise, Class, status);
  assert.equal(error.error.type, 'error');
  assert.equal(error.error.error.type, type);
  assert.equal(error.type, type);
  assert.equal(typeof error.error.error.message, 'string');
  return error;
}

test('a message has its content, stop reason and usage', async () => {
  const message = await client.messages.create(request('Grüße, 世界'));
  assert.equal(message.type, 'message');
  assert.equal(message.role, 'assistant');
  assert.equal(message.model, MODEL);
  assert.deepEqual(message.content, [{ type: 'text', text: 'You said: Grüße, 世界' }]);
  assert.equal(message.stop_reason, 'end_turn');
  assert.deepEqual(message.usage, { input_tokens: 14, output_tokens: 12 });
});

test('the events of a streamed message arrive in order', async () => {
  const stream = await client.messages.create(request('one two Grüße', { stream: true }));
  const events = await collect(stream);
  const deltas = events.filter((event) => event.type === 'content_block_delta');
  const words = deltas.map((event) => event.delta.text);
  assert.deepEqual(words, ['You ', 'said: ', 'one ', 'two ', 'Grüße']);
  const frame = events.map((event) => event.type).filter((type) => type !== 'content_block_delta');
  assert.deepEqual(frame, [
    'message_start',
    'content_block_start',
    'content_block_stop',
    'message_delta',
    'message_stop',
  ]);
});

test("the SDK's stream helper ends with the whole message", async () => {
  const stream = client.messages.stream(request('one two'));
  let text = '';
  stream.on('text', (delta) => (text += delta));
  const message = await stream.finalMessage();
  assert.equal(text, 'You said: one two');
  assert.equal(message.content[0].text, text);
  assert.equal(message.stop_reason, 'end_turn');
  assert.equal(message.usage.output_tokens, 12);
});

test('tokens can be counted', async () => {
  const count = await client.messages.countTokens(chat('hello', { model: MODEL }));
  assert.equal(count.input_tokens, 14);
});

test('the models can be listed', async () => {
  const models = await collect(client.models.list());
  assert.deepEqual(models.map((model) => model.id), [MODEL, 'claude-haiku-4-5']);
  assert.equal(models[0].type, 'model');
});

test('an unknown key raises an authentication error', async () => {
  const unauthorized = newAnthropic(UNKNOWN_KEY);
  const assertRejected = (call) =>
    assertAnthropicError(call, Anthropic.AuthenticationError, 401, 'authentication_error');
  await assertRejected(unauthorized.messages.create(request('hello')));
  await assertRejected(unauthorized.models.list());
});

test("an unknown URL raises a not found error in Anthropic's shape", async () => {
  const call = client.post('/v1/complete', { body: { model: MODEL } });
  const error = await assertAnthropicError(call, Anthropic.NotFoundError, 404, 'not_found_error');
  assert.match(error.error.error.message, /unknown request url/);
});

test('a body that the provider rejects raises a bad request error', async () => {
  const call = client.messages.create(chat('hello', { model: MODEL }));
  const error = await assertAnthropicError(
    call, Anthropic.BadRequestError, 400, 'invalid_request_error');
  assert.equal(error.apiMessage, 'max_tokens: Field required');
  assert.equal(error.requestID, 'req_simulated');
});

for (const [what, Class, status, type] of [
  ['status=403', Anthropic.PermissionDeniedError, 403, 'permission_error'],
  ['status=404', Anthropic.NotFoundError, 404, 'not_found_error'],
  ['status=429', Anthropic.RateLimitError, 429, 'rate_limit_error'],
  ['status=500', Anthropic.InternalServerError, 500, 'api_error'],
  ['status=529', Anthropic.OverloadedError, 529, 'overloaded_error'],
]) {
  test(`the provider's ${what} raises its error`, async () => {
    const error = await assertAnthropicError(ask(what), Class, status, type);
    assert.equal(error.apiMessage, 'simulated failure');
  });
}

for (const [what, Class, status, type, message] of [
  ['cloudflare=2003', Anthropic.RateLimitError, 429, 'rate_limit_error', /Rate limited/],
  ['cloudflare=2005', Anthropic.InternalServerError, 502, 'api_error', /Failed to get response/],
  ['cloudflare=2009', Anthropic.InternalServerError, 502, 'api_error', /own credentials/],
  ['policy=403', Anthropic.PermissionDeniedError, 403, 'permission_error', /denied by policy/],
]) {
  test(`the AI Gateway's ${what} raises an error in Anthropic's shape`, async () => {
    const error = await assertAnthropicError(ask(what), Class, status, type);
    assert.match(error.apiMessage, message);
  });
}

test('a stream that the upstream cuts raises an error', async () => {
  const streamed = request('one two', { stream: true });
  const stream = await client.messages.create(streamed, simulate('cut=body'));
  const error = await assertAnthropicError(
    collect(stream), Anthropic.APIError, undefined, 'api_error');
  assert.match(error.apiMessage, /^the upstream /);
});
