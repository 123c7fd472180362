import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { AzureOpenAI, toFile } from 'openai';

import {
  GATEWAY_URL,
  PATIENCE_MS,
  UNKNOWN_KEY,
  assertRaises,
  chat,
  collect,
  createKey,
  simulate,
  textOf,
} from './support.js';

const MODEL = 'gpt-4o';
const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

const { apiKey } = await createKey();

/** A client that sends its key as `api-key` and the deployment in the path, as this SDK does. */
function newAzure(options = {}) {
  return new AzureOpenAI({
    endpoint: `${GATEWAY_URL}/azure`,
    apiKey,
    apiVersion: '2024-10-21',
    timeout: PATIENCE_MS,
    maxRetries: 0,
    ...options,
  });
}

const client = newAzure();

function ask(what) {
  return client.chat.completions.create(chat('hello', { model: MODEL }), simulate(what));
}

test('a chat completion has its content and usage', async () => {
  const request = chat('Grüße, 世界', { model: MODEL });
  const { data, response } = await client.chat.completions.create(request).withResponse();
  assert.equal(data.model, MODEL);
  assert.equal(data.choices[0].message.content, 'You said: Grüße, 世界');
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.deepEqual(data.usage, USAGE);
  assert.equal(response.headers.get('x-ms-region'), 'Sweden Central');
});

test('a streamed chat arrives whole', async () => {
  const more = { model: MODEL, stream: true, stream_options: { include_usage: true } };
  const chunks = await collect(await client.chat.completions.create(chat('one two Grüße', more)));
  assert.equal(textOf(chunks), 'You said: one two Grüße');
  assert.deepEqual(chunks.at(-1).usage, USAGE);
  assert.equal(chunks.at(-2).choices[0].finish_reason, 'stop');
});

test('embeddings come from the given deployment', async () => {
  const deployed = newAzure({ deployment: 'text-embedding-3-small' });
  const request = { model: 'text-embedding-3-small', input: ['short', 'quite a bit longer'] };
  const { data, model } = await deployed.embeddings.create(request);
  assert.equal(model, 'text-embedding-3-small');
  assert.deepEqual(data.map((entry) => [entry.index, entry.embedding.length]), [[0, 8], [1, 8]]);
  assert.notDeepEqual(data[0].embedding, data[1].embedding);
});

test('an audio file is uploaded whole for transcription', async () => {
  const deployed = newAzure({ deployment: 'whisper' });
  const file = await toFile(Buffer.alloc(300_000, 0xff), 'speech.mp3', { type: 'audio/mpeg' });
  const transcription = await deployed.audio.transcriptions.create({ file, model: 'whisper' });
  assert.equal(transcription.text, '300000 bytes for whisper');
});

test('an unknown key raises an authentication error', async () => {
  const call = newAzure({ apiKey: UNKNOWN_KEY }).chat.completions.create(
    chat('hello', { model: MODEL }),
  );
  const error = await assertRaises(call, OpenAI.AuthenticationError, 401, 'invalid_api_key');
  assert.equal(error.type, 'invalid_request_error');
});

test('an operation that no deployment serves raises a not found error', async () => {
  await assertRaises(client.files.list(), OpenAI.NotFoundError, 404, 'unknown_url');
});

test('a deployment with an unsafe name raises a bad request error', async () => {
  const call = client.chat.completions.create(chat('hello', { model: 'a:b' }));
  const error = await assertRaises(call, OpenAI.BadRequestError, 400, 'invalid_body');
  assert.equal(error.param, 'model');
});

for (const [what, Class, status, code] of [
  ['status=403', OpenAI.PermissionDeniedError, 403, 'invalid_value'],
  ['status=404', OpenAI.NotFoundError, 404, 'not_found'],
  ['status=429', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
  ['status=500', OpenAI.InternalServerError, 500, 'server_error'],
  ['cloudflare=2003', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
  ['cloudflare=2009', OpenAI.InternalServerError, 502, 'gateway_credentials'],
  ['policy=403', OpenAI.PermissionDeniedError, 403, 'policy_denied'],
]) {
  test(`the upstream's ${what} raises its error`, async () => {
    await assertRaises(ask(what), Class, status, code);
  });
}
