import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MODEL, collect, newClient } from './support.js';

const client = await newClient();

test('a response has its text and usage', async () => {
  const response = await client.responses.create({ model: MODEL, input: 'one two' });
  assert.equal(response.output_text, 'You said: one two');
  assert.equal(response.status, 'completed');
  assert.equal(response.model, MODEL);
  assert.equal(response.usage.total_tokens, 21);
});

test('the deltas of a streamed response add up to its text', async () => {
  const stream = await client.responses.create({ model: MODEL, input: 'one two', stream: true });
  const events = await collect(stream);
  assert.equal(events[0].type, 'response.created');
  assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);

  const deltas = events.filter((event) => event.type === 'response.output_text.delta');
  assert.deepEqual(deltas.map((event) => event.delta), ['You ', 'said: ', 'one ', 'two']);
  const last = events.at(-1);
  assert.equal(last.type, 'response.completed');
  assert.equal(last.response.output[0].content[0].text, 'You said: one two');
});

test("the SDK's stream helper ends with the whole response", async () => {
  const stream = client.responses.stream({ model: MODEL, input: 'one two' });
  let text = '';
  stream.on('response.output_text.delta', (event) => (text += event.delta));
  const response = await stream.finalResponse();
  assert.equal(text, 'You said: one two');
  assert.equal(response.output_text, text);
});
