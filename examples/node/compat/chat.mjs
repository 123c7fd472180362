// Run in examples/node: npm ci && GATEWAY_KEY=sk_… node compat/chat.mjs
// Creates a chat completion with a model of another provider, through Cloudflare's own endpoint.
import OpenAI from 'openai';

const { GATEWAY_URL = 'http://127.0.0.1:3000', GATEWAY_KEY } = process.env;

const client = new OpenAI({ baseURL: `${GATEWAY_URL}/compat`, apiKey: GATEWAY_KEY });
const completion = await client.chat.completions.create({
  model: 'groq/llama-3.3-70b',
  messages: [{ role: 'user', content: 'Hello!' }],
});
console.log(completion.choices[0].message.content);
