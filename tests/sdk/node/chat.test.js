import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GATEWAY_URL, MODEL, chat, collect, newClient, textOf } from './support.js';

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

const client = await newClient();

test('a chat completion has content, finish reason and usage', async () => {
  const completion = await client.chat.completions.create(chat('Grüße, 世界'));
  assert.equal(completion.object, 'chat.completion');
  assert.equal(completion.model, MODEL);
  assert.equal(completion.choices.length, 1);
  assert.equal(completion.choices[0].message.role, 'assistant');
  assert.equal(completion.choices[0].message.content, 'You said: Grüße, 世界');
  assert.equal(completion.choices[0].finish_reason, 'stop');
  assert.deepEqual(completion.usage, USAGE);
});

test('a base URL with /v1 works as well', async () => {
  const versioned = await newClient({ baseURL: `${GATEWAY_URL}/openai/v1` });
  const completion = await versioned.chat.completions.create(chat('hello'));
  assert.equal(completion.choices[0].message.content, 'You said: hello');
});

test('a streamed chat arrives whole', async () => {
  const stream = await client.chat.completions.create(chat('one two Grüße', { stream: true }));
  const chunks = await collect(stream);
  assert.equal(textOf(chunks), 'You said: one two Grüße');
  assert.ok(chunks.every((chunk) => chunk.object === 'chat.completion.chunk'));
  assert.ok(chunks.every((chunk) => !chunk.usage), 'usage that was not requested');
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
});

test('the last chunk of a stream has the usage if it is requested', async () => {
  const request = chat('one two', { stream: true, stream_options: { include_usage: true } });
  const chunks = await collect(await client.chat.completions.create(request));
  const last = chunks.pop();
  assert.deepEqual(last.usage, USAGE);
  assert.deepEqual(last.choices, []);
  assert.equal(textOf(chunks), 'You said: one two');
  assert.ok(chunks.every((chunk) => chunk.usage === null));
});
