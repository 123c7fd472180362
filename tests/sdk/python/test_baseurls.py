"""Base URLs as people write them: with and without a version, with a slash at the end."""

import pytest
from anthropic import Anthropic

from support import PATIENCE_SECONDS, chat, create_key

ENDS = ["", "/", "/v1", "/v1/", "/v1/v1"]


@pytest.fixture(scope="module")
def api_key():
    return create_key()["apiKey"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("openai", "gpt-4o-mini"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-flash"),
        ("azure", "gpt-4o"),
        ("workers-ai", "@cf/meta/llama-3.1-8b-instruct"),
        ("bedrock", "nova-lite"),
    ],
)
def test_openais_sdk_works(new_client, gateway_url, api_key, provider, model, end):
    client = new_client(api_key, base_url=f"{gateway_url}/{provider}{end}")
    completion = client.chat.completions.create(**chat("hello") | {"model": model})
    assert completion.choices[0].message.content == "You said: hello"


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("prefix", ["/anthropic", "/bedrock/anthropic"])
def test_anthropics_sdk_works(gateway_url, api_key, prefix, end):
    base_url = f"{gateway_url}{prefix}{end}"
    with Anthropic(api_key=api_key, base_url=base_url, timeout=PATIENCE_SECONDS) as client:
        message = client.messages.create(
            model="claude-haiku-4-5",
            max_tokens=16,
            messages=[{"role": "user", "content": "hello"}],
        )
    assert message.content[0].text == "You said: hello"
