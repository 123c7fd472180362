import assert from 'node:assert/strict';
import { test } from 'node:test';

import { collect, newClient } from './support.js';

const client = await newClient();

test('the models can be listed', async () => {
  const models = await collect(client.models.list());
  const ids = models.map((model) => model.id);
  assert.deepEqual(ids, ['gpt-4o', 'gpt-4o-mini', 'text-embedding-3-small']);
});

test('a model can be retrieved', async () => {
  const model = await client.models.retrieve('gpt-4o');
  assert.equal(model.id, 'gpt-4o');
  assert.equal(model.object, 'model');
  assert.equal(model.owned_by, 'openai');
});
