# Run in this folder: pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
# Creates a chat completion with a model of another provider, through Cloudflare's own endpoint.
import os

from openai import OpenAI

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = OpenAI(base_url=f"{gateway}/compat", api_key=os.environ["GATEWAY_KEY"])

completion = client.chat.completions.create(
    model="groq/llama-3.3-70b",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(completion.choices[0].message.content)
