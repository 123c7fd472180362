import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI from 'openai';

import { ADMIN_TOKEN, GATEWAY_URL, assertRaises, createKey, newClient, post } from './support.js';

const FIELDS = ['apiKey', 'createdAt', 'id', 'limited', 'name', 'teamId'];
const RFC_3339_MILLISECONDS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

test('the admin creates a team key with exactly the documented fields', async () => {
  const body = { teamId: 'blue', name: 'Blue team', limited: true };
  const before = Date.now();
  const response = await post(`${GATEWAY_URL}/tokens`, { bearer: ADMIN_TOKEN, body });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('content-type'), 'application/json');

  const key = await response.json();
  assert.deepEqual(Object.keys(key).sort(), FIELDS);
  const { teamId, name, limited } = key;
  assert.deepEqual({ teamId, name, limited }, body);
  assert.match(key.apiKey, /^sk_[0-9a-f]{64}$/);
  assert.match(key.id, /^[0-9a-f]{32}$/);
  assert.match(key.createdAt, RFC_3339_MILLISECONDS);
  const age = Date.parse(key.createdAt) - before;
  assert.ok(Math.abs(age) < 60_000, `created at ${key.createdAt}`);
});

test('only the admin can create a team key', async () => {
  const body = { teamId: 'blue' };
  const { apiKey } = await createKey(body);
  for (const bearer of [undefined, apiKey, `${ADMIN_TOKEN}x`]) {
    const response = await post(`${GATEWAY_URL}/tokens`, { bearer, body });
    assert.equal(response.status, 401);
    assert.equal((await response.json()).error.code, 'invalid_admin_token');
  }
});

test('a refreshed key replaces the old one', async () => {
  const old = await createKey({ teamId: 'green', name: 'Green team' });
  const oldClient = await newClient({ apiKey: old.apiKey });
  assert.equal((await oldClient.models.retrieve('gpt-4o')).id, 'gpt-4o');

  const response = await post(`${GATEWAY_URL}/tokens/refresh?graceSeconds=0`, {
    bearer: old.apiKey,
  });
  assert.equal(response.status, 200);
  const key = await response.json();
  assert.deepEqual(Object.keys(key).sort(), [...FIELDS, 'lineage', 'replaces', 'rotatedAt'].sort());
  assert.equal(key.replaces, old.id);
  assert.match(key.apiKey, /^sk_[0-9a-f]{64}$/);
  assert.notEqual(key.apiKey, old.apiKey);
  assert.deepEqual([key.teamId, key.name, key.limited], ['green', 'Green team', false]);

  const newKeyClient = await newClient({ apiKey: key.apiKey });
  assert.equal((await newKeyClient.models.retrieve('gpt-4o')).id, 'gpt-4o');
  const call = oldClient.models.retrieve('gpt-4o');
  await assertRaises(call, OpenAI.AuthenticationError, 401, 'invalid_api_key');
});
