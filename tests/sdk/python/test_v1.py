"""OpenAI's SDK on the one base URL of all providers."""

import pytest
from openai import NotFoundError

from support import PROVIDERS, chat, models_of, simulate, text_of, unique
from test_tools import TOOLS


@pytest.fixture(scope="module")
def v1(new_client, gateway_url):
    return new_client(base_url=f"{gateway_url}/v1")


def name_of(provider):
    model = models_of(provider)["chat"]
    return model if provider == "compat" else f"{provider}/{model}"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_model_responds_by_its_prefix(v1, provider):
    model = name_of(provider)
    completion = v1.chat.completions.create(**chat("hello") | {"model": model})
    assert "hello" in completion.choices[0].message.content
    stream = v1.chat.completions.create(**chat("hello", stream=True) | {"model": model})
    assert "hello" in text_of(stream)
    call = v1.chat.completions.create(**chat("weather", tools=TOOLS) | {"model": model})
    assert call.choices[0].finish_reason == "tool_calls"


def test_other_operations_reach_their_provider(v1):
    for model in ("openai/gpt-4o", "bedrock/nova-lite"):
        assert "hello" in v1.responses.create(model=model, input="hello").output_text
    vectors = v1.embeddings.create(model="openai/text-embedding-3-small", input="hello")
    assert len(vectors.data[0].embedding) == 8
    assert v1.images.generate(model="openai/gpt-image-1", prompt="a cat").data[0].b64_json
    text = v1.audio.transcriptions.create(model="openai/whisper-1", file=("a.mp3", b"abc")).text
    assert text == "3 bytes for whisper-1"


def test_the_list_has_the_models_of_all_providers(v1):
    ids = [model.id for model in v1.models.list()]
    assert {"fast", "openai/gpt-4o", "anthropic/claude-haiku-4-5", "bedrock/nova-lite"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_an_alias_falls_back(v1):
    what = simulate(f"status=503,times=1,id={unique('v1')}")
    raw = v1.chat.completions.with_raw_response
    response = raw.create(**chat("hello") | {"model": "fast"}, extra_headers=what)
    assert response.headers["x-gateway-model"] == "anthropic/claude-haiku-4-5"
    assert response.parse().choices[0].message.content == "You said: hello"


def test_an_unknown_model_raises_a_not_found_error(v1):
    with pytest.raises(NotFoundError) as caught:
        v1.chat.completions.create(**chat("hello") | {"model": "gpt-4o"})
    assert caught.value.code == "model_not_found"
