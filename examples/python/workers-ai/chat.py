# Run in this folder: pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
# Creates a chat completion on Cloudflare Workers AI with OpenAI's SDK.
import os

from openai import OpenAI

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = OpenAI(base_url=f"{gateway}/workers-ai", api_key=os.environ["GATEWAY_KEY"])

completion = client.chat.completions.create(
    model="@cf/meta/llama-3.1-8b-instruct",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(completion.choices[0].message.content)
