import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newClient } from './support.js';

const MODEL = 'text-embedding-3-small';

const client = await newClient();

function embed(input, more = {}) {
  return client.embeddings.create({ model: MODEL, input, ...more });
}

function assertClose(actual, expected) {
  assert.equal(actual.length, expected.length);
  for (const [index, value] of expected.entries()) {
    const difference = Math.abs(actual[index] - value);
    assert.ok(difference <= Math.abs(value) * 1e-6, `${actual[index]} is not ${value}`);
  }
}

test('the default encoding of the SDK has the same numbers as plain floats', async () => {
  const response = await embed('a sentence').asResponse();
  const body = await response.json();
  assert.equal(typeof body.data[0].embedding, 'string', 'the SDK did not request base64');

  const decoded = (await embed('a sentence')).data[0].embedding;
  const plain = (await embed('a sentence', { encoding_format: 'float' })).data[0].embedding;
  assert.equal(plain.length, 8);
  assert.ok(plain.every((value) => value > 0));
  assertClose(decoded, plain);
});

test('a vector has the requested dimensions', async () => {
  for (const dimensions of [3, 256]) {
    const { data } = await embed('a sentence', { dimensions });
    assert.equal(data[0].embedding.length, dimensions);
  }
});

test('two inputs give two vectors in order', async () => {
  const { data, model } = await embed(['short', 'quite a bit longer']);
  assert.equal(model, MODEL);
  assert.deepEqual(data.map((entry) => entry.index), [0, 1]);
  assert.notDeepEqual(data[0].embedding, data[1].embedding);
  assertClose(data[0].embedding, (await embed('short')).data[0].embedding);
  assertClose(data[1].embedding, (await embed('quite a bit longer')).data[0].embedding);
});
