import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI from 'openai';

import {
  GATEWAY_URL,
  PROVIDERS,
  TOOLS,
  assertRaises,
  chat,
  collect,
  modelsOf,
  newClient,
  simulate,
  textOf,
} from './support.js';

const client = await newClient({ baseURL: `${GATEWAY_URL}/v1` });

/** Returns the whole name of a provider's model. */
function nameOf(provider) {
  const { chat: model } = modelsOf(provider);
  return provider === 'compat' ? model : `${provider}/${model}`;
}

for (const provider of PROVIDERS) {
  const model = nameOf(provider);

  test(`${model} responds, whole, streamed and with a tool call`, async () => {
    const completion = await client.chat.completions.create(chat('hello', { model }));
    assert.match(completion.choices[0].message.content, /hello/);
    const stream = await client.chat.completions.create(chat('hello', { model, stream: true }));
    assert.match(textOf(await collect(stream)), /hello/);
    const call = await client.chat.completions.create(chat('weather', { model, tools: TOOLS }));
    assert.equal(call.choices[0].finish_reason, 'tool_calls');
  });
}

test('responses, embeddings, images and audio reach their provider', async () => {
  for (const model of ['openai/gpt-4o', 'bedrock/nova-lite']) {
    const response = await client.responses.create({ model, input: 'hello' });
    assert.match(response.output_text, /hello/);
    const events = await collect(await client.responses.create({ model, input: 'hello', stream: true }));
    assert.equal(events.at(-1).type, 'response.completed');
  }
  const input = 'hello';
  const { data } = await client.embeddings.create({ model: 'openai/text-embedding-3-small', input });
  assert.equal(data[0].embedding.length, 8);
  const images = await client.images.generate({ model: 'openai/gpt-image-1', prompt: 'a cat' });
  assert.ok(images.data[0].b64_json);
  const path = join(await mkdtemp(join(tmpdir(), 'v1-')), 'a.mp3');
  await writeFile(path, 'abc');
  const file = createReadStream(path);
  const { text } = await client.audio.transcriptions.create({ model: 'openai/whisper-1', file });
  assert.equal(text, '3 bytes for whisper-1');
});

test('the list has the models of all providers, each by its whole name', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  for (const provider of PROVIDERS.filter((name) => modelsOf(name).listed)) {
    const listed = modelsOf(provider).listed.map((id) => id.replace('models/', ''));
    const prefix = provider === 'compat' ? '' : `${provider}/`;
    for (const id of listed) assert.ok(ids.includes(prefix + id), `${prefix + id} in ${ids}`);
  }
  assert.equal(new Set(ids).size, ids.length);
});

test('an alias falls back, and the response says which model has responded', async () => {
  const { data, response } = await client.chat.completions
    .create(chat('hello', { model: 'fast' }), simulate('status=503,times=1,id=node-v1'))
    .withResponse();
  assert.equal(data.choices[0].message.content, 'You said: hello');
  assert.equal(response.headers.get('x-gateway-alias'), 'fast');
  assert.equal(response.headers.get('x-gateway-model'), 'anthropic/claude-haiku-4-5');
});

test('an unknown model raises a not found error', async () => {
  const call = client.chat.completions.create(chat('hello', { model: 'gpt-4o' }));
  const error = await assertRaises(call, OpenAI.NotFoundError, 404, 'model_not_found');
  assert.match(error.message, /provider\/model/);
});
