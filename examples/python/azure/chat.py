# Run in this folder: pip install -r ../requirements.txt && GATEWAY_KEY=sk_… python chat.py
# Creates a chat completion on Azure OpenAI with the Azure client of OpenAI's SDK.
import os

from openai import AzureOpenAI

gateway = os.environ.get("GATEWAY_URL", "http://127.0.0.1:3000")
client = AzureOpenAI(
    azure_endpoint=f"{gateway}/azure",
    api_key=os.environ["GATEWAY_KEY"],
    api_version="2024-10-21",
)

completion = client.chat.completions.create(
    model="gpt-4o",  # the name of your Azure deployment
    messages=[{"role": "user", "content": "Hello!"}],
)
print(completion.choices[0].message.content)
