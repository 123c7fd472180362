// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node anthropic/chat.mjs
// Creates a message with Claude through Anthropic's SDK.
import Anthropic from '@anthropic-ai/sdk';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new Anthropic({ baseURL: `${GATEWAY_URL}/anthropic`, apiKey: GATEWAY_KEY });
const message = await client.messages.create({
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(message.content[0].text);
