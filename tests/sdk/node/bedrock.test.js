import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';
import { zodResponseFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import {
  GATEWAY_URL,
  PIXEL,
  TOOLS,
  UNKNOWN_KEY,
  assertRaises,
  chat,
  collect,
  createKey,
  newClient,
  simulate,
  textOf,
} from './support.js';

const NOVA = 'nova-lite';
const CLAUDE = 'claude';
const USAGE = {
  prompt_tokens: 14,
  completion_tokens: 12,
  total_tokens: 26,
  prompt_tokens_details: { cached_tokens: 0 },
};

const TIME = { type: 'function', function: { name: 'get_time', description: 'The time' } };

const City = z.object({ name: z.string(), zip: z.number().int() });

const { apiKey } = await createKey();

for (const base of ['/bedrock', '/bedrock/v1']) {
  const client = await newClient({ apiKey, baseURL: GATEWAY_URL + base });
  describe(base, () => testBedrock(client));
}

function testBedrock(client) {
  const ask = (content, more, options) =>
    client.chat.completions.create(chat(content, { model: NOVA, ...more }), options);

  test('a chat completion has its content, its usage and the requested model', async () => {
    const completion = await ask('Grüße, 世界');
    assert.equal(completion.object, 'chat.completion');
    assert.equal(completion.model, NOVA);
    assert.match(completion.id, /^chatcmpl-/);
    assert.equal(completion.choices[0].message.content, 'You said: Grüße, 世界');
    assert.equal(completion.choices[0].finish_reason, 'stop');
    assert.deepEqual(completion.usage, USAGE);
  });

  test('a streamed chat arrives whole and ends with the requested usage', async () => {
    const more = { stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await ask('one two Grüße', more));
    assert.ok(chunks.every((chunk) => chunk.model === NOVA), 'a chunk of another model');
    const last = chunks.pop();
    assert.deepEqual(last.usage, USAGE);
    assert.deepEqual(last.choices, []);
    assert.ok(chunks.every((chunk) => chunk.usage === null), 'a usage before the end');
    assert.equal(textOf(chunks), 'You said: one two Grüße');
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  });

  test('a stream has no usage unless it is requested', async () => {
    const chunks = await collect(await ask('one two', { stream: true }));
    assert.ok(chunks.every((chunk) => chunk.usage === undefined && chunk.choices.length === 1));
  });

  test('parallel tool calls make the round trip', async () => {
    const tools = [...TOOLS, TIME];
    const messages = [{ role: 'user', content: 'use both tools' }];
    const first = await client.chat.completions.create({ model: CLAUDE, tools, messages });
    const { message, finish_reason: finishReason } = first.choices[0];
    assert.equal(finishReason, 'tool_calls');
    const names = message.tool_calls.map((call) => call.function.name);
    assert.deepEqual(names, ['get_weather', 'get_time']);
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: 'Paris' });
    assert.deepEqual(JSON.parse(message.tool_calls[1].function.arguments), {});

    messages.push(message);
    const results = ['sunny', '12:00'];
    message.tool_calls.forEach((call, index) =>
      messages.push({ role: 'tool', tool_call_id: call.id, content: results[index] }),
    );
    const second = await client.chat.completions.create({ model: CLAUDE, tools, messages });
    assert.equal(second.choices[0].message.content, 'The tool says: sunny 12:00');
  });

  test("the SDK's stream helper assembles parallel tool calls", async () => {
    const request = chat('use both tools', { model: CLAUDE, tools: [...TOOLS, TIME] });
    const completion = await client.chat.completions.stream(request).finalChatCompletion();
    const calls = completion.choices[0].message.tool_calls.map((call) => call.function);
    assert.deepEqual(calls.map((call) => call.name), ['get_weather', 'get_time']);
    assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), [{ city: 'Paris' }, {}]);
  });

  for (const model of [CLAUDE, NOVA]) {
    const format = { response_format: zodResponseFormat(City, 'city') };

    test(`the parse helper parses a response of ${model} to a schema`, async () => {
      const request = chat('a city', { model, ...format });
      const { message, finish_reason: reason } = (await client.chat.completions.parse(request))
        .choices[0];
      assert.deepEqual([message.parsed, reason], [{ name: 'Paris', zip: 7 }, 'stop']);
      assert.equal(message.tool_calls?.length ?? 0, 0);
    });

    test(`the parse helper parses a stream of ${model} to a schema`, async () => {
      const request = chat('a city', { model, ...format });
      const completion = await client.chat.completions.stream(request).finalChatCompletion();
      assert.deepEqual(completion.choices[0].message.parsed, { name: 'Paris', zip: 7 });
    });
  }

  test('an image in a data: URL reaches the model', async () => {
    const content = [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: PIXEL } },
    ];
    const completion = await ask(content);
    assert.match(completion.choices[0].message.content, /\[1 image, png\]/);
  });

  test('reasoning is returned as text and sent back signed', async () => {
    const more = { model: CLAUDE, reasoning_effort: 'low' };
    const { message } = (await ask('hard', more)).choices[0];
    assert.equal(message.reasoning_content, 'Let me think.');
    const messages = [{ role: 'user', content: 'hard' }, message, { role: 'user', content: 'so' }];
    const second = await client.chat.completions.create({ ...more, messages });
    assert.equal(second.choices[0].message.content, 'You said: so');

    const chunks = await collect(await ask('hard', { ...more, stream: true }));
    const reasoning = chunks.map((chunk) => chunk.choices[0].delta.reasoning_content ?? '');
    assert.equal(reasoning.join(''), 'Let me think.');
  });

  test('embeddings are the same as numbers and as base64', async () => {
    const input = ['short', 'quite a bit longer'];
    const request = { model: 'amazon.titan-embed-text-v2:0', input, dimensions: 256 };
    // By default the SDK requests base64 and decodes it.
    const decoded = await client.embeddings.create(request);
    const plain = await client.embeddings.create({ ...request, encoding_format: 'float' });
    assert.deepEqual(decoded.data, plain.data);
    assert.deepEqual(plain.data.map((entry) => entry.index), [0, 1]);
    assert.deepEqual(plain.data.map((entry) => entry.embedding.length), [256, 256]);
    assert.notDeepEqual(plain.data[0].embedding, plain.data[1].embedding);
    assert.ok(plain.usage.prompt_tokens > 0 && plain.usage.total_tokens > 0);
  });

  test('the models can be listed', async () => {
    const ids = (await collect(client.models.list())).map((entry) => entry.id);
    assert.ok(ids.includes(NOVA) && ids.includes(CLAUDE), ids.join(' '));
    assert.ok(ids.includes('amazon.nova-pro-v1:0'), ids.join(' '));
  });

  for (const [what, Class, status, code] of [
    ['status=400', OpenAI.BadRequestError, 400, 'validation_exception'],
    ['status=403', OpenAI.PermissionDeniedError, 403, 'access_denied'],
    ['status=404', OpenAI.NotFoundError, 404, 'model_not_found'],
    ['status=408', OpenAI.APIError, 408, 'model_timeout'],
    ['status=424', OpenAI.APIError, 424, 'model_error'],
    ['status=429', OpenAI.RateLimitError, 429, 'rate_limit_exceeded'],
    ['status=500', OpenAI.InternalServerError, 500, 'internal_server_error'],
    ['status=503', OpenAI.InternalServerError, 503, 'service_unavailable'],
    ['no_output=1', OpenAI.InternalServerError, 502, 'bad_upstream_response'],
    ['cloudflare=2009', OpenAI.InternalServerError, 502, 'gateway_credentials'],
    ['cut=head', OpenAI.InternalServerError, 502, 'upstream_unreachable'],
  ]) {
    test(`${what} raises ${status} ${code}`, async () => {
      await assertRaises(ask('hello', {}, simulate(what)), Class, status, code);
    });
  }

  test('an unknown key raises an authentication error', async () => {
    const unauthorized = client.withOptions({ apiKey: UNKNOWN_KEY });
    const call = unauthorized.chat.completions.create(chat('hello', { model: NOVA }));
    await assertRaises(call, OpenAI.AuthenticationError, 401, 'invalid_api_key');
  });

  test('an unsupported parameter raises a bad request error that names it', async () => {
    const error = await assertRaises(
      ask('hello', { n: 2 }), OpenAI.BadRequestError, 400, 'unsupported_value');
    assert.equal(error.param, 'n');
  });

  test('an exception before the first event has a status', async () => {
    const call = ask('hi', { stream: true }, simulate('exception=throttlingException'));
    await assertRaises(call, OpenAI.RateLimitError, 429, 'rate_limit_exceeded');
  });

  for (const [what, code] of [
    ['exception=throttlingException,after=3', 'rate_limit_exceeded'],
    ['cut=stop', 'bad_upstream_response'],
    ['flip=crc', 'bad_upstream_response'],
  ]) {
    test(`a stream with ${what} raises an error`, async () => {
      const stream = await ask('one two', { stream: true }, simulate(what));
      await assertRaises(collect(stream), OpenAI.APIError, undefined, code);
    });
  }
}
