import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';

import {
  GATEWAY_URL,
  PROVIDERS,
  TOOLS,
  assertRaises,
  chat,
  collect,
  createKey,
  modelsOf,
  newClient,
  simulate,
  textOf,
} from './support.js';

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

const { apiKey } = await createKey();

// Bedrock's responses are translated, and bedrock.test.js tests them.
for (const provider of PROVIDERS.filter((name) => name !== 'bedrock')) {
  for (const base of [`/${provider}`, `/${provider}/v1`]) {
    const client = await newClient({ apiKey, baseURL: GATEWAY_URL + base });
    describe(base, () => testProvider(client, modelsOf(provider)));
  }
}

function testProvider(client, { chat: model, embeddings, listed }) {
  const ask = (content, more, options) =>
    client.chat.completions.create(chat(content, { model, ...more }), options);

  test('a chat completion has its content, its usage and the requested model', async () => {
    const completion = await ask('Grüße, 世界');
    assert.equal(completion.object, 'chat.completion');
    assert.equal(completion.model, model);
    assert.equal(completion.choices.length, 1);
    assert.equal(completion.choices[0].message.content, 'You said: Grüße, 世界');
    assert.equal(completion.choices[0].finish_reason, 'stop');
    assert.deepEqual(completion.usage, USAGE);
  });

  test('a streamed chat arrives whole and ends with the requested usage', async () => {
    const more = { stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await ask('one two Grüße', more));
    assert.ok(chunks.every((chunk) => chunk.model === model), 'a chunk of another model');
    const last = chunks.pop();
    assert.deepEqual(last.usage, USAGE);
    assert.deepEqual(last.choices, []);
    assert.equal(textOf(chunks), 'You said: one two Grüße');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  });

  test('a tool call makes the round trip', async () => {
    const first = await ask('How is the weather?', { tools: TOOLS });
    const { message, finish_reason: finishReason } = first.choices[0];
    assert.equal(finishReason, 'tool_calls');
    assert.equal(first.model, model);
    const [call] = message.tool_calls;
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });

    const result = { role: 'tool', tool_call_id: call.id, content: '21 °C and sunny' };
    const messages = [{ role: 'user', content: 'How is the weather?' }, message, result];
    const second = await client.chat.completions.create({ model, tools: TOOLS, messages });
    assert.equal(second.choices[0].message.content, 'The tool says: 21 °C and sunny');
  });

  if (embeddings) {
    test('two inputs give two vectors in order', async () => {
      const request = { model: embeddings, input: ['short', 'quite a bit longer'] };
      const { data, model: used } = await client.embeddings.create(request);
      assert.equal(used, embeddings);
      assert.deepEqual(data.map((entry) => entry.index), [0, 1]);
      assert.deepEqual(data.map((entry) => entry.embedding.length), [8, 8]);
      assert.notDeepEqual(data[0].embedding, data[1].embedding);
    });
  } else {
    test('embeddings raise a not found error', async () => {
      const call = client.embeddings.create({ model, input: 'a sentence' });
      await assertRaises(call, OpenAI.NotFoundError, 404, 'unknown_url');
    });
  }

  if (listed) {
    test('the models can be listed', async () => {
      const models = await collect(client.models.list());
      assert.deepEqual(models.map((entry) => entry.id), listed);
    });
  } else {
    test('a list of models raises a not found error', async () => {
      const call = client.models.list();
      await assertRaises(call, OpenAI.NotFoundError, 404, 'unknown_url');
    });
  }

  test('a rate limit of the provider raises a rate limit error', async () => {
    const call = ask('hello', {}, simulate('status=429'));
    await assertRaises(call, OpenAI.RateLimitError, 429, 'rate_limit_exceeded');
  });

  test("rejected credentials of the gateway raise a server error", async () => {
    const call = ask('hello', {}, simulate('cloudflare=2009'));
    await assertRaises(call, OpenAI.InternalServerError, 502, 'gateway_credentials');
  });

  test('a stream that the upstream cuts raises an error', async () => {
    const stream = await ask('one two', { stream: true }, simulate('cut=body'));
    await assertRaises(collect(stream), OpenAI.APIError, undefined, 'upstream_interrupted');
  });
}
