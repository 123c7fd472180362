// Azure through the AI SDK, which calls the Responses API by default.

import { createAzure } from '@ai-sdk/azure';
import { embed, generateText, streamText } from 'ai';
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GATEWAY_URL, createKey } from './support.js';

const { apiKey } = await createKey();

for (const end of ['/openai', '/openai/v1', '/openai/', '']) {
  const baseURL = `${GATEWAY_URL}/azure${end}`;
  const azure = createAzure({ apiKey, baseURL });

  test(`the AI SDK generates text with /azure${end}`, async () => {
    for (const model of [azure('gpt-4o'), azure.chat('gpt-4o')]) {
      const { text, finishReason } = await generateText({ model, prompt: 'hello' });
      assert.deepEqual([text, finishReason], ['You said: hello', 'stop']);
    }
  });

  test(`the AI SDK streams text with /azure${end}`, async () => {
    for (const model of [azure('gpt-4o'), azure.chat('gpt-4o')]) {
      const { text } = streamText({ model, prompt: 'one two' });
      assert.equal(await text, 'You said: one two');
    }
  });

  test(`the AI SDK embeds with /azure${end}`, async () => {
    const model = azure.textEmbeddingModel('text-embedding-3-small');
    const { embedding } = await embed({ model, value: 'hello' });
    assert.equal(embedding.length, 8);
  });
}

test('the AI SDK puts the deployment into the URL', async () => {
  const baseURL = `${GATEWAY_URL}/azure/openai`;
  const options = { apiKey, baseURL, useDeploymentBasedUrls: true };
  for (const apiVersion of [undefined, 'v1', 'preview', '2024-10-21']) {
    const azure = createAzure({ ...options, apiVersion });
    const { text } = await generateText({ model: azure.chat('gpt-4o'), prompt: 'hello' });
    assert.equal(text, 'You said: hello');
  }
});
