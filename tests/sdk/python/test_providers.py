"""OpenAI's SDK on the routes of all providers that pass OpenAI's API through."""

import json

import pytest
from openai import InternalServerError, NotFoundError, RateLimitError

from support import PROVIDERS, chat, models_of, simulate, text_of
from test_tools import TOOLS

# Bedrock's responses are translated, and test_bedrock.py tests them.
PASS_THROUGH = [provider for provider in PROVIDERS if provider != "bedrock"]

EMBEDDING = [provider for provider in PASS_THROUGH if "embeddings" in models_of(provider)]

LISTING = [provider for provider in PASS_THROUGH if "listed" in models_of(provider)]


@pytest.fixture(scope="session", params=["", "/v1"], ids=["bare", "v1"])
def client_of(request, gateway_url, new_client):
    """Returns a provider's client, with and without the version in its base URL."""
    clients = {
        provider: new_client(base_url=f"{gateway_url}/{provider}{request.param}")
        for provider in PASS_THROUGH
    }
    return clients.__getitem__


@pytest.fixture(params=PASS_THROUGH)
def provider(request):
    return request.param


def asking(provider, content, **more):
    return chat(content, **more) | {"model": models_of(provider)["chat"]}


def numbers(usage):
    return (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)


def test_a_chat_completion_names_the_requested_model(client_of, provider):
    completion = client_of(provider).chat.completions.create(**asking(provider, "Grüße, 世界"))
    assert completion.object == "chat.completion"
    assert completion.model == models_of(provider)["chat"]
    [choice] = completion.choices
    assert choice.message.content == "You said: Grüße, 世界"
    assert choice.finish_reason == "stop"
    assert numbers(completion.usage) == (9, 12, 21)


def test_a_streamed_chat_ends_with_its_usage(client_of, provider):
    request = asking(provider, "one two", stream=True, stream_options={"include_usage": True})
    *chunks, last = client_of(provider).chat.completions.create(**request)
    assert text_of(chunks) == "You said: one two"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert last.choices == []
    assert numbers(last.usage) == (9, 12, 21)
    assert {chunk.model for chunk in [*chunks, last]} == {models_of(provider)["chat"]}


def test_a_tool_is_called(client_of, provider):
    request = asking(provider, "How is the weather?", tools=TOOLS)
    completion = client_of(provider).chat.completions.create(**request)
    assert completion.model == models_of(provider)["chat"]
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}


@pytest.mark.parametrize("provider", EMBEDDING)
def test_two_inputs_give_two_vectors_in_order(client_of, provider):
    model = models_of(provider)["embeddings"]
    client = client_of(provider)
    response = client.embeddings.create(model=model, input=["short", "quite a bit longer"])
    assert response.model == model
    first, second = [item.embedding for item in response.data]
    assert first != second
    assert [len(first), len(second)] == [8, 8]
    [alone] = client.embeddings.create(model=model, input="short").data
    assert alone.embedding == first


def test_anthropic_has_no_embeddings(client_of):
    with pytest.raises(NotFoundError) as caught:
        model = models_of("anthropic")["chat"]
        client_of("anthropic").embeddings.create(model=model, input="short")
    assert (caught.value.status_code, caught.value.code) == (404, "unknown_url")
    assert "/chat/completions" in caught.value.message


@pytest.mark.parametrize("provider", LISTING)
def test_the_models_can_be_listed(client_of, provider):
    ids = [model.id for model in client_of(provider).models.list()]
    assert ids == models_of(provider)["listed"]


@pytest.mark.parametrize(
    ("what", "error", "status", "code"),
    [
        ("status=429", RateLimitError, 429, "rate_limit_exceeded"),
        ("cloudflare=2009", InternalServerError, 502, "gateway_credentials"),
    ],
)
def test_a_failure_raises_the_error_of_its_status(client_of, provider, what, error, status, code):
    request = asking(provider, "hello")
    with pytest.raises(error) as caught:
        client_of(provider).chat.completions.create(**request, extra_headers=simulate(what))
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.code) == (status, code)
