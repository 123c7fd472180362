// OpenAI's Responses API on Amazon Bedrock, which translates it.

import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText } from 'ai';
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import OpenAI from 'openai';
import { zodTextFormat } from 'openai/helpers/zod';
import { z } from 'zod';

import {
  GATEWAY_URL,
  PIXEL,
  assertRaises,
  collect,
  createKey,
  newClient,
  simulate,
} from './support.js';

const NOVA = 'nova-lite';
const CLAUDE = 'claude';

const CITY = { city: { type: 'string' } };
const TOOLS = [
  { type: 'function', name: 'get_weather', parameters: { type: 'object', properties: CITY } },
  { type: 'function', name: 'get_time', description: 'The time', parameters: null },
];

const City = z.object({ name: z.string(), zip: z.number().int() });

const { apiKey } = await createKey();

for (const base of ['/bedrock', '/bedrock/v1']) {
  const client = await newClient({ apiKey, baseURL: GATEWAY_URL + base });
  describe(base, () => testResponses(client));
}

function testResponses(client) {
  const ask = (input, more, options) =>
    client.responses.create({ model: NOVA, input, ...more }, options);
  const stream = async (input, more, options) =>
    collect(await ask(input, { stream: true, ...more }, options));

  test('a response has its text, its usage and what it repeats of its request', async () => {
    const more = { instructions: 'Be brief.', metadata: { a: 'b' }, store: true };
    const response = await ask('Grüße, 世界', more);
    assert.equal(response.object, 'response');
    assert.match(response.id, /^resp_/);
    assert.equal(response.output_text, 'You said: Grüße, 世界');
    assert.deepEqual([response.status, response.model], ['completed', NOVA]);
    assert.deepEqual([response.instructions, response.metadata], ['Be brief.', { a: 'b' }]);
    assert.equal(response.store, false);
    assert.deepEqual(response.usage, {
      input_tokens: 14,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 12,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 26,
    });
  });

  test('the events of a stream are in order and end with the whole response', async () => {
    const events = await stream('one two Grüße');
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    const types = events.map((event) => event.type.replace('response.', ''));
    assert.deepEqual(types.filter((type) => type !== 'output_text.delta'), [
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    assert.equal(deltas.map((event) => event.delta).join(''), 'You said: one two Grüße');
    const { response } = events.at(-1);
    assert.equal(response.output[0].content[0].text, 'You said: one two Grüße');
    assert.equal(response.usage.total_tokens, 26);
  });

  test("the SDK's stream helper ends with the whole response", async () => {
    const response = await client.responses.stream({ model: NOVA, input: 'one' }).finalResponse();
    assert.equal(response.output_text, 'You said: one');
  });

  for (const isStream of [false, true]) {
    const way = isStream ? 'a stream' : 'a response';

    /** Returns the response to a request, and asserts that a stream has each item's events. */
    const respond = async (request) => {
      if (!isStream) return client.responses.create(request);
      const helper = client.responses.stream(request);
      const done = [];
      helper.on('response.output_item.done', ({ item }) => done.push(item));
      const response = await helper.finalResponse();
      assert.deepEqual(done.map((item) => item.id), response.output.map((item) => item.id));
      return response;
    };

    test(`parallel calls in ${way} make the round trip`, async () => {
      const request = { model: CLAUDE, tools: TOOLS };
      const input = [{ role: 'user', content: 'use both tools aloud' }];
      const first = await respond({ ...request, input });
      const calls = first.output.filter((item) => item.type === 'function_call');
      assert.deepEqual(calls.map((call) => call.name), ['get_weather', 'get_time']);
      assert.deepEqual(calls.map((call) => JSON.parse(call.arguments)), [{ city: 'Paris' }, {}]);

      const results = calls.map((call, index) => ({
        type: 'function_call_output',
        call_id: call.call_id,
        output: ['sunny', '12:00'][index],
      }));
      const second = await respond({ ...request, input: [...input, ...first.output, ...results] });
      assert.equal(second.output_text, 'The tool says: sunny 12:00');
    });

    test(`reasoning in ${way} is sent back signed`, async () => {
      const request = { model: CLAUDE, tools: TOOLS, reasoning: { effort: 'low' } };
      const input = [{ role: 'user', content: 'use a tool' }];
      const first = await respond({ ...request, input });
      assert.deepEqual(first.output.map((item) => item.type), ['reasoning', 'function_call']);
      const [reasoning, call] = first.output;
      assert.equal(reasoning.summary[0].text, 'Let me think.');
      const result = { type: 'function_call_output', call_id: call.call_id, output: 'sunny' };
      const second = await respond({ ...request, input: [...input, ...first.output, result] });
      assert.match(second.output_text, /^The tool says: sunny/);
    });

    for (const model of [CLAUDE, NOVA]) {
      test(`${way} of ${model} is parsed to a schema`, async () => {
        const text = { format: zodTextFormat(City, 'city') };
        const request = { model, input: 'a city', text };
        const response = isStream
          ? await client.responses.stream(request).finalResponse()
          : await client.responses.parse(request);
        assert.deepEqual(response.output_parsed, { name: 'Paris', zip: 7 });
      });
    }
  }

  test('a call in a namespace keeps it', async () => {
    const tools = [{ type: 'namespace', name: 'home', description: 'At home', tools: TOOLS }];
    const { output } = await ask('use a tool', { model: CLAUDE, tools });
    const [{ namespace, name }] = output;
    assert.deepEqual([namespace, name], ['home', 'get_weather']);
    const result = { type: 'function_call_output', call_id: output[0].call_id, output: 'sunny' };
    const input = [{ role: 'user', content: 'use a tool' }, ...output, result];
    const second = await ask(input, { model: CLAUDE, tools });
    assert.equal(second.output_text, 'The tool says: sunny');
  });

  test('an image in a data: URL reaches the model', async () => {
    const content = [
      { type: 'input_text', text: 'What is this?' },
      { type: 'input_image', image_url: PIXEL, detail: 'auto' },
    ];
    assert.match((await ask([{ role: 'user', content }])).output_text, /\[1 image, png\]/);
  });

  for (const [stop, reason] of [
    ['max_tokens', 'max_output_tokens'],
    ['guardrail_intervened', 'content_filter'],
  ]) {
    test(`a response that ends with ${stop} is incomplete`, async () => {
      const response = await ask('one two', {}, simulate(`stop=${stop}`));
      assert.deepEqual([response.status, response.incomplete_details], ['incomplete', { reason }]);
      const last = (await stream('one two', {}, simulate(`stop=${stop}`))).at(-1);
      assert.equal(last.type, 'response.incomplete');
      assert.deepEqual(last.response.incomplete_details, { reason });
    });
  }

  for (const [param, more] of [
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['conversation', { conversation: 'conv_1' }],
    ['background', { background: true }],
    ['tools[0].type', { tools: [{ type: 'web_search' }] }],
    ['input[0].type', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
    ['text.format', { text: { format: { type: 'xml' } } }],
  ]) {
    test(`${param} raises a bad request error that names it`, async () => {
      const call = ask('hello', more);
      const error = await assertRaises(call, OpenAI.BadRequestError, 400, 'unsupported_value');
      assert.equal(error.param, param);
    });
  }

  for (const [what, code] of [
    ['exception=throttlingException,after=3', 'rate_limit_exceeded'],
    ['cut=stop', 'bad_upstream_response'],
  ]) {
    test(`a stream with ${what} fails, and raises an error`, async () => {
      const events = [];
      const read = async () => {
        for await (const event of await ask('one two', { stream: true }, simulate(what))) {
          events.push(event);
        }
      };
      await assertRaises(read(), OpenAI.APIError, undefined, code);
      assert.equal(events.at(-1).type, 'response.failed');
      assert.equal(events.at(-1).response.error.code, code);
    });
  }
}

describe('the AI SDK', () => {
  const bedrock = createOpenAI({ apiKey, baseURL: `${GATEWAY_URL}/bedrock/v1` });
  // Otherwise it refers to items of earlier responses, which this gateway does not store.
  const providerOptions = { openai: { store: false } };

  test('generates and streams text by the Responses API', async () => {
    const request = { model: bedrock(CLAUDE), prompt: 'one two', providerOptions };
    assert.equal((await generateText(request)).text, 'You said: one two');
    assert.equal(await streamText(request).text, 'You said: one two');
  });
});
