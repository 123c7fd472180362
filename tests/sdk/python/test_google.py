"""Google's own SDK, on the Gemini API."""

import pytest
from google import genai
from google.genai import errors

from support import PATIENCE_SECONDS, create_key, simulate

MODEL = "gemini-2.5-flash"


@pytest.fixture(scope="module")
def new_gemini(gateway_url):
    """Creates clients, each with a new key unless one is given."""
    clients = []

    def make(api_key=None, **options):
        defaults = {"base_url": f"{gateway_url}/google", "timeout": PATIENCE_SECONDS * 1000}
        options = defaults | options
        client = genai.Client(api_key=api_key or create_key()["apiKey"], http_options=options)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


# The SDK has a default version, and accepts another.
@pytest.fixture(scope="module", params=[{}, {"api_version": "v1beta"}], ids=["sdk", "v1beta"])
def gemini(request, new_gemini):
    return new_gemini(**request.param)


def numbers(usage):
    return (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count)


def ask(client):
    return client.models.generate_content(model=MODEL, contents="hello")


def test_content_has_text_finish_reason_and_usage(gemini):
    response = gemini.models.generate_content(model=MODEL, contents="Grüße, 世界")
    assert response.text == "You said: Grüße, 世界"
    assert response.model_version == MODEL
    assert response.candidates[0].finish_reason == "STOP"
    assert numbers(response.usage_metadata) == (9, 12, 21)


def test_the_pieces_of_streamed_content_add_up(gemini):
    pieces = list(gemini.models.generate_content_stream(model=MODEL, contents="one two Grüße"))
    assert [piece.text for piece in pieces] == ["You ", "said: ", "one ", "two ", "Grüße"]
    assert [piece.candidates[0].finish_reason for piece in pieces] == [None] * 4 + ["STOP"]
    assert numbers(pieces[-1].usage_metadata) == (9, 12, 21)


def test_tokens_are_counted(gemini):
    assert gemini.models.count_tokens(model=MODEL, contents="hello").total_tokens == 9


def test_the_models_can_be_listed_and_retrieved(gemini):
    assert [model.name for model in gemini.models.list()] == [f"models/{MODEL}"]
    assert gemini.models.get(model=MODEL).name == f"models/{MODEL}"


def test_a_stream_that_the_upstream_cuts_raises_an_error(new_gemini):
    gemini = new_gemini(headers=simulate("cut=body"))
    stream = gemini.models.generate_content_stream(model=MODEL, contents="one two")
    assert next(stream).text == "You "
    with pytest.raises(errors.APIError) as caught:
        next(stream)
    assert (caught.value.code, caught.value.status) == (502, "UNAVAILABLE")


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1beta", "/v1beta/", "/v1alpha"])
@pytest.mark.parametrize("version", [{}, *({"api_version": v} for v in ("v1", "v1alpha"))], ids=str)
def test_a_base_url_works_with_and_without_a_version(new_gemini, gateway_url, end, version):
    gemini = new_gemini(base_url=f"{gateway_url}/google{end}", **version)
    assert ask(gemini).text == "You said: hello"


@pytest.mark.parametrize("key", ["sk_" + "0" * 64, "AIza-not-a-team-key"])
def test_an_unknown_key_raises_a_client_error(new_gemini, key):
    with pytest.raises(errors.ClientError) as caught:
        ask(new_gemini(key))
    assert (caught.value.code, caught.value.status) == (401, "UNAUTHENTICATED")
    assert "api key" in caught.value.message


@pytest.mark.parametrize(
    ("what", "error", "code", "status"),
    [
        ("status=403", errors.ClientError, 403, "PERMISSION_DENIED"),
        ("status=404", errors.ClientError, 404, "NOT_FOUND"),
        ("status=429", errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
        ("status=500", errors.ServerError, 500, "INTERNAL"),
    ],
)
def test_a_failure_of_the_provider_raises_its_error(new_gemini, what, error, code, status):
    with pytest.raises(error) as caught:
        ask(new_gemini(headers=simulate(what)))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.message == "simulated failure"


@pytest.mark.parametrize(
    ("what", "error", "code", "status", "message"),
    [
        ("cloudflare=2003", errors.ClientError, 429, "RESOURCE_EXHAUSTED", "2003: Rate limited"),
        ("cloudflare=2005", errors.ServerError, 502, "UNAVAILABLE", "2005: Failed to get response"),
        ("policy=403", errors.ClientError, 403, "PERMISSION_DENIED", "Access denied by policy"),
        ("cut=head", errors.ServerError, 502, "UNAVAILABLE", "could not be reached"),
    ],
)
def test_a_failure_behind_the_gateway_has_googles_shape(
    new_gemini, what, error, code, status, message
):
    with pytest.raises(error) as caught:
        ask(new_gemini(headers=simulate(what)))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert caught.value.details["error"]["code"] == code
    assert message in caught.value.message
