// Base URLs as people write them: with and without a version, with a slash at the end.

import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import OpenAI, { AzureOpenAI } from 'openai';

import { GATEWAY_URL, chat, createKey } from './support.js';

const { apiKey } = await createKey();
const ENDS = ['', '/', '/v1', '/v1/', '/v1/v1'];

for (const end of ENDS) {
  for (const [provider, model] of [
    ['openai', 'gpt-4o-mini'],
    ['anthropic', 'claude-sonnet-4-5'],
    ['google', 'gemini-2.5-flash'],
    ['azure', 'gpt-4o'],
    ['workers-ai', '@cf/meta/llama-3.1-8b-instruct'],
    ['bedrock', 'nova-lite'],
  ]) {
    test(`OpenAI's SDK works with /${provider}${end}`, async () => {
      const client = new OpenAI({ apiKey, baseURL: `${GATEWAY_URL}/${provider}${end}` });
      const { choices } = await client.chat.completions.create(chat('hello', { model }));
      assert.equal(choices[0].message.content, 'You said: hello');
    });
  }

  for (const base of ['/anthropic', '/bedrock/anthropic']) {
    test(`Anthropic's SDK works with ${base}${end}`, async () => {
      const client = new Anthropic({ apiKey, baseURL: `${GATEWAY_URL}${base}${end}` });
      const message = await client.messages.create(
        chat('hello', { model: 'claude-sonnet-4-5', max_tokens: 16 }),
      );
      assert.equal(message.content[0].text, 'You said: hello');
    });
  }
}

for (const end of ['', '/', '/v1', '/v1beta', '/v1beta/', '/v1alpha']) {
  for (const apiVersion of [undefined, 'v1', 'v1beta', 'v1alpha']) {
    test(`Google's SDK, ${apiVersion ?? 'default version'}, works with /google${end}`, async () => {
      const httpOptions = { baseUrl: `${GATEWAY_URL}/google${end}` };
      const client = new GoogleGenAI({ apiKey, apiVersion, httpOptions });
      const { text } = await client.models.generateContent({
        model: 'gemini-2.5-flash',
        contents: 'hello',
      });
      assert.equal(text, 'You said: hello');
    });
  }
}

test("OpenAI's SDK works with the base URL of Google's documentation", async () => {
  for (const end of ['/v1beta/openai', '/v1beta/openai/']) {
    const client = new OpenAI({ apiKey, baseURL: `${GATEWAY_URL}/google${end}` });
    const request = chat('hello', { model: 'gemini-2.5-flash' });
    const { choices } = await client.chat.completions.create(request);
    assert.equal(choices[0].message.content, 'You said: hello');
  }
});

test("Azure's SDK works with a slash at the end and lists models", async () => {
  for (const end of ['', '/']) {
    const endpoint = `${GATEWAY_URL}/azure${end}`;
    const client = new AzureOpenAI({ apiKey, endpoint, apiVersion: '2025-04-01-preview' });
    const { choices } = await client.chat.completions.create(chat('hello', { model: 'gpt-4o' }));
    assert.equal(choices[0].message.content, 'You said: hello');
    const response = await client.responses.create({ model: 'gpt-4o', input: 'hello' });
    assert.equal(response.output_text, 'You said: hello');
    const models = await client.models.list();
    assert.ok(models.data.length > 0);
  }
});
