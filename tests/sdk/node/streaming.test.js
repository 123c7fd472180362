import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import OpenAI from 'openai';

import {
  PATIENCE_MS,
  assertRaises,
  chat,
  collect,
  newClient,
  openGate,
  simulate,
  textOf,
} from './support.js';

const client = await newClient();

test('the first chunk arrives while the upstream is still sending', async () => {
  const gate = `node-${randomUUID()}`;
  // The SDK's own timeout ends with the response headers. This one fails a gateway that buffers
  // the body.
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const stream = await client.chat.completions.create(
      chat('one two', { stream: true }),
      simulate(`gate=${gate}`, { signal }),
    );
    const chunks = stream[Symbol.asyncIterator]();
    const first = await chunks.next();
    assert.equal(first.done, false, 'no chunk arrived before the gate was opened');
    assert.equal(first.value.choices[0].delta.role, 'assistant');
    assert.equal(signal.aborted, false);

    await openGate(gate);
    const rest = await collect(chunks);
    assert.equal(textOf(rest), 'You said: one two');
    assert.equal(rest.at(-1).choices[0].finish_reason, 'stop');
  } finally {
    await openGate(gate);
  }
});

test('a chat stream that the upstream cuts raises an error', async () => {
  const stream = await client.chat.completions.create(
    chat('one two', { stream: true }),
    simulate('cut=body'),
  );
  const seen = [];
  const reading = (async () => {
    for await (const chunk of stream) seen.push(chunk);
  })();
  await assertRaises(reading, OpenAI.APIError, undefined, 'upstream_interrupted');
  assert.equal(seen.length, 1);
  assert.equal(seen[0].choices[0].delta.role, 'assistant');
});

test('a responses stream that the upstream cuts raises an error', async () => {
  const request = { model: 'gpt-4o', input: 'one two', stream: true };
  const stream = await client.responses.create(request, simulate('cut=body'));
  const seen = [];
  const reading = (async () => {
    for await (const event of stream) seen.push(event.type);
  })();
  await assertRaises(reading, OpenAI.APIError, undefined, 'upstream_interrupted');
  assert.deepEqual(seen, ['response.created']);
});
