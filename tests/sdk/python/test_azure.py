"""The Azure client of OpenAI's SDK, which puts the deployment into the path."""

import pytest
from openai import (
    AuthenticationError,
    AzureOpenAI,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
)

from support import PATIENCE_SECONDS, chat, create_key, simulate, text_of

MODEL = "gpt-4o"


@pytest.fixture(scope="module")
def new_azure(gateway_url):
    """Creates clients, each with a new key unless one is given."""
    clients = []

    def make(api_key=None, **options):
        client = AzureOpenAI(
            api_key=api_key or create_key()["apiKey"],
            azure_endpoint=f"{gateway_url}/azure",
            api_version="2024-10-21",
            timeout=PATIENCE_SECONDS,
            max_retries=0,
            **options,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def azure(new_azure):
    return new_azure()


def request(content, **more):
    return chat(content, **more) | {"model": MODEL}


def test_a_chat_completion_has_content_and_usage(azure):
    completion = azure.chat.completions.create(**request("Grüße, 世界"))
    assert completion.model == MODEL
    assert completion.choices[0].message.content == "You said: Grüße, 世界"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == 21


def test_a_streamed_chat_arrives_whole(azure):
    streamed = request("one two", stream=True, stream_options={"include_usage": True})
    *chunks, last = azure.chat.completions.create(**streamed)
    assert text_of(chunks) == "You said: one two"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert last.usage.total_tokens == 21


def test_an_embedding_has_the_requested_dimensions(azure):
    model = "text-embedding-3-small"
    response = azure.embeddings.create(model=model, input="a sentence", dimensions=3)
    assert response.model == model
    [item] = response.data
    assert len(item.embedding) == 3
    assert all(value > 0 for value in item.embedding)


@pytest.mark.parametrize("options", [{}, {"azure_deployment": "whisper"}], ids=["model", "client"])
def test_an_audio_file_is_uploaded_whole_for_transcription(new_azure, options):
    file = ("speech.mp3", bytes(range(256)) * 1_000, "audio/mpeg")
    client = new_azure(**options)
    transcription = client.audio.transcriptions.create(file=file, model="whisper")
    assert transcription.text == "256000 bytes for whisper"


def test_the_responses_api_belongs_to_the_resource(azure):
    response = azure.responses.create(model=MODEL, input="hello")
    assert response.output_text == "You said: hello"
    events = list(azure.responses.create(model=MODEL, input="hello", stream=True))
    assert events[-1].type == "response.completed"


def test_the_models_can_be_listed(azure):
    assert MODEL in [model.id for model in azure.models.list()]


@pytest.mark.parametrize("key", ["sk_" + "0" * 64, "not-a-team-key"])
def test_an_unknown_key_raises_an_authentication_error(new_azure, key):
    with pytest.raises(AuthenticationError) as caught:
        new_azure(key).chat.completions.create(**request("hello"))
    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("what", "error", "status", "code"),
    [
        ("status=401", AuthenticationError, 401, "invalid_api_key"),
        ("status=403", PermissionDeniedError, 403, "invalid_value"),
        ("status=404", NotFoundError, 404, "not_found"),
        ("status=429", RateLimitError, 429, "rate_limit_exceeded"),
        ("status=500", InternalServerError, 500, "server_error"),
        ("cloudflare=2005", InternalServerError, 502, "upstream_unreachable"),
    ],
)
def test_a_failure_raises_the_error_of_its_status(azure, what, error, status, code):
    with pytest.raises(error) as caught:
        azure.chat.completions.create(**request("hello"), extra_headers=simulate(what))
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.code) == (status, code)


# The AI Gateway has no place for Azure's files.
def test_an_operation_that_is_not_served_raises_a_not_found_error(azure):
    with pytest.raises(NotFoundError) as caught:
        azure.files.list()
    assert (caught.value.status_code, caught.value.code) == (404, "unknown_url")
