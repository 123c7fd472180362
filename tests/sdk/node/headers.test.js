import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createKey, newClient } from './support.js';

test("the SDK's own headers reach the upstream, and its key and project do not", async () => {
  const key = await createKey({ teamId: 'headers-node', account: true });
  const client = await newClient({
    apiKey: key.apiKey,
    organization: 'org-1',
    project: 'proj-1',
    defaultHeaders: { 'x-custom': 'kept' },
  });
  const echo = await client.post('/echo', { body: { model: 'x' } });
  const headers = new Map(echo.headers);

  assert.equal(echo.method, 'POST');
  assert.deepEqual(JSON.parse(echo.body), { model: 'x' });
  assert.equal(headers.has('openai-organization'), false);
  assert.equal(headers.has('openai-project'), false);
  assert.equal(headers.get('x-custom'), 'kept');
  assert.equal(headers.get('x-stainless-lang'), 'js');
  assert.equal(headers.get('x-stainless-retry-count'), '0');
  assert.match(headers.get('user-agent'), /^OpenAI\/JS /);

  assert.equal(headers.has('authorization'), false);
  assert.equal(JSON.stringify(echo).includes(key.apiKey), false, 'the team key reached the upstream');
  const metadata = JSON.parse(headers.get('cf-aig-metadata'));
  assert.equal(metadata.team_id, 'headers-node');
  assert.equal(metadata.key_id, key.id);
  assert.equal(metadata.model, 'x');
});
