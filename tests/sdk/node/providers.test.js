import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';

import {
  GATEWAY_URL,
  TOOLS,
  assertRaises,
  chat,
  collect,
  createKey,
  newClient,
  simulate,
  textOf,
} from './support.js';

const USAGE = { prompt_tokens: 9, completion_tokens: 12, total_tokens: 21 };

const PROVIDERS = [
  { route: 'anthropic', model: 'claude-sonnet-4-5' },
  { route: 'google', model: 'gemini-2.5-flash', embedding: 'text-embedding-004' },
  { route: 'azure', model: 'gpt-4o', embedding: 'text-embedding-3-small' },
  {
    route: 'workers-ai',
    model: '@cf/meta/llama-3.1-8b-instruct',
    embedding: '@cf/baai/bge-m3',
  },
];

/** The ids of the models each route lists, where it lists any. */
const LISTED = {
  anthropic: ['claude-sonnet-4-5', 'claude-haiku-4-5'],
  google: ['models/gemini-2.5-flash'],
};

const { apiKey } = await createKey();

for (const provider of PROVIDERS) {
  for (const base of [`/${provider.route}`, `/${provider.route}/v1`]) {
    const client = await newClient({ apiKey, baseURL: GATEWAY_URL + base });
    describe(base, () => testProvider(client, provider));
  }
}

function testProvider(client, { route, model, embedding }) {
  const ask = (content, more, options) =>
    client.chat.completions.create(chat(content, { model, ...more }), options);

  test('a chat completion has its content, its usage and the model asked for', async () => {
    const completion = await ask('Grüße, 世界');
    assert.equal(completion.object, 'chat.completion');
    assert.equal(completion.model, model);
    assert.equal(completion.choices.length, 1);
    assert.equal(completion.choices[0].message.content, 'You said: Grüße, 世界');
    assert.equal(completion.choices[0].finish_reason, 'stop');
    assert.deepEqual(completion.usage, USAGE);
  });

  test('a streamed chat arrives whole and ends with the usage asked for', async () => {
    const wish = { stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await ask('one two Grüße', wish));
    assert.ok(chunks.every((chunk) => chunk.model === model), 'a chunk of another model');
    const last = chunks.pop();
    assert.deepEqual(last.usage, USAGE);
    assert.deepEqual(last.choices, []);
    assert.equal(textOf(chunks), 'You said: one two Grüße');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  });

  test('a tool call makes the round trip', async () => {
    const asked = await ask('How is the weather?', { tools: TOOLS });
    const { message, finish_reason: finishReason } = asked.choices[0];
    assert.equal(finishReason, 'tool_calls');
    assert.equal(asked.model, model);
    const [call] = message.tool_calls;
    assert.equal(call.function.name, 'get_weather');
    assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });

    const result = { role: 'tool', tool_call_id: call.id, content: '21 °C and sunny' };
    const messages = [{ role: 'user', content: 'How is the weather?' }, message, result];
    const told = await client.chat.completions.create({ model, tools: TOOLS, messages });
    assert.equal(told.choices[0].message.content, 'The tool says: 21 °C and sunny');
  });

  if (embedding) {
    test('two inputs give two vectors in their order', async () => {
      const request = { model: embedding, input: ['short', 'quite a bit longer'] };
      const { data, model: answered } = await client.embeddings.create(request);
      assert.equal(answered, embedding);
      assert.deepEqual(data.map((entry) => entry.index), [0, 1]);
      assert.deepEqual(data.map((entry) => entry.embedding.length), [8, 8]);
      assert.notDeepEqual(data[0].embedding, data[1].embedding);
    });
  } else {
    test('embeddings raise a not found error', async () => {
      const asked = client.embeddings.create({ model, input: 'a sentence' });
      await assertRaises(asked, OpenAI.NotFoundError, 404, 'unknown_url');
    });
  }

  if (LISTED[route]) {
    test('the models can be listed', async () => {
      const models = await collect(client.models.list());
      assert.deepEqual(models.map((entry) => entry.id), LISTED[route]);
    });
  } else {
    test('a list of models raises a not found error', async () => {
      const asked = client.models.list();
      await assertRaises(asked, OpenAI.NotFoundError, 404, 'unknown_url');
    });
  }

  test('a rate limit of the provider raises a rate limit error', async () => {
    const asked = ask('hello', {}, simulate('status=429'));
    await assertRaises(asked, OpenAI.RateLimitError, 429, 'rate_limit_exceeded');
  });

  test("refused credentials of the gateway are not the client's error", async () => {
    const asked = ask('hello', {}, simulate('cloudflare=2009'));
    await assertRaises(asked, OpenAI.InternalServerError, 502, 'gateway_credentials');
  });

  test('a stream that the upstream cuts raises an error', async () => {
    const stream = await ask('one two', { stream: true }, simulate('cut=body'));
    await assertRaises(collect(stream), OpenAI.APIError, undefined, 'upstream_interrupted');
  });
}
