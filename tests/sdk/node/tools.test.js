import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TOOLS, chat, collect, newClient } from './support.js';

const client = await newClient();

test('a tool call makes the round trip', async () => {
  const request = chat('How is the weather?', { tools: TOOLS });
  const first = await client.chat.completions.create(request);
  const { message, finish_reason: finishReason } = first.choices[0];
  assert.equal(finishReason, 'tool_calls');
  assert.equal(message.content, null);
  assert.equal(message.tool_calls.length, 1);
  const [call] = message.tool_calls;
  assert.equal(call.type, 'function');
  assert.equal(call.function.name, 'get_weather');
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });

  const result = { role: 'tool', tool_call_id: call.id, content: '21 °C and sunny' };
  const messages = [...request.messages, message, result];
  const second = await client.chat.completions.create({ ...request, messages });
  assert.equal(second.choices[0].message.content, 'The tool says: 21 °C and sunny');
  assert.equal(second.choices[0].message.tool_calls, undefined);
  assert.equal(second.choices[0].finish_reason, 'stop');
});

test('a tool call can be assembled from a stream', async () => {
  const request = chat('How is the weather?', { tools: TOOLS, stream: true });
  const chunks = await collect(await client.chat.completions.create(request));
  const pieces = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
  assert.equal(pieces[0].id, 'call_simulated');
  assert.equal(pieces[0].function.name, 'get_weather');
  assert.ok(pieces.every((piece) => piece.index === 0));
  const text = pieces.map((piece) => piece.function.arguments).join('');
  assert.deepEqual(JSON.parse(text), { city: 'Paris' });
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'tool_calls');
});

test("the SDK's stream helper assembles a tool call", async () => {
  const request = chat('How is the weather?', { tools: TOOLS });
  const completion = await client.chat.completions.stream(request).finalChatCompletion();
  const [call] = completion.choices[0].message.tool_calls;
  assert.equal(call.id, 'call_simulated');
  assert.equal(call.function.name, 'get_weather');
  assert.deepEqual(JSON.parse(call.function.arguments), { city: 'Paris' });
});
