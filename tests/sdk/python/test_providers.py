"""OpenAI's SDK on the routes of the other providers."""

import json

import pytest
from openai import InternalServerError, NotFoundError, RateLimitError

from support import chat, simulate, text_of
from test_tools import TOOLS

MODELS = {
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-flash",
    "azure": "gpt-4o",
    "workers-ai": "@cf/meta/llama-3.1-8b-instruct",
}

EMBEDDING_MODELS = {
    "google": "text-embedding-004",
    "azure": "text-embedding-3-small",
    "workers-ai": "@cf/baai/bge-m3",
}

LISTED_MODELS = {
    "google": ["models/gemini-2.5-flash"],
    "anthropic": ["claude-sonnet-4-5", "claude-haiku-4-5"],
}


@pytest.fixture(scope="session", params=["", "/v1"], ids=["bare", "v1"])
def client_of(request, gateway_url, new_client):
    """The client of a provider, with and without the version in its base URL."""
    clients = {
        provider: new_client(base_url=f"{gateway_url}/{provider}{request.param}")
        for provider in MODELS
    }
    return clients.__getitem__


@pytest.fixture(params=MODELS)
def provider(request):
    return request.param


def asking(provider, content, **more):
    return chat(content, **more) | {"model": MODELS[provider]}


def numbers(usage):
    return (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)


def test_a_chat_is_answered_by_the_model_that_was_asked(client_of, provider):
    completion = client_of(provider).chat.completions.create(**asking(provider, "Grüße, 世界"))
    assert completion.object == "chat.completion"
    assert completion.model == MODELS[provider]
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
    assert {chunk.model for chunk in [*chunks, last]} == {MODELS[provider]}


def test_a_tool_is_called(client_of, provider):
    request = asking(provider, "How is the weather?", tools=TOOLS)
    completion = client_of(provider).chat.completions.create(**request)
    assert completion.model == MODELS[provider]
    [choice] = completion.choices
    assert choice.finish_reason == "tool_calls"
    [call] = choice.message.tool_calls
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}


@pytest.mark.parametrize("provider", EMBEDDING_MODELS)
def test_two_inputs_are_embedded_in_their_order(client_of, provider):
    model = EMBEDDING_MODELS[provider]
    client = client_of(provider)
    answer = client.embeddings.create(model=model, input=["short", "quite a bit longer"])
    assert answer.model == model
    first, second = [item.embedding for item in answer.data]
    assert first != second
    assert [len(first), len(second)] == [8, 8]
    [alone] = client.embeddings.create(model=model, input="short").data
    assert alone.embedding == first


def test_anthropic_has_no_embeddings(client_of):
    with pytest.raises(NotFoundError) as caught:
        client_of("anthropic").embeddings.create(model=MODELS["anthropic"], input="short")
    assert (caught.value.status_code, caught.value.code) == (404, "unknown_url")
    assert "/chat/completions" in caught.value.message


@pytest.mark.parametrize("provider", LISTED_MODELS)
def test_the_models_can_be_listed(client_of, provider):
    assert [model.id for model in client_of(provider).models.list()] == LISTED_MODELS[provider]


@pytest.mark.parametrize(
    ("what", "error", "status", "code"),
    [
        ("status=429", RateLimitError, 429, "rate_limit_exceeded"),
        ("cloudflare=2009", InternalServerError, 502, "gateway_credentials"),
    ],
)
def test_a_failure_raises_what_its_cause_calls_for(client_of, provider, what, error, status, code):
    request = asking(provider, "hello")
    with pytest.raises(error) as caught:
        client_of(provider).chat.completions.create(**request, extra_headers=simulate(what))
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.code) == (status, code)
