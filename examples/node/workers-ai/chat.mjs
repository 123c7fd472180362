// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node workers-ai/chat.mjs
// Creates a chat completion on Cloudflare Workers AI with OpenAI's SDK.
import OpenAI from 'openai';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new OpenAI({ baseURL: `${GATEWAY_URL}/workers-ai`, apiKey: GATEWAY_KEY });
const completion = await client.chat.completions.create({
  model: '@cf/meta/llama-3.1-8b-instruct',
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(completion.choices[0].message.content);
