"""OpenAI's SDK on Amazon Bedrock, whose responses are translated."""

import json

import openai
import pytest
from pydantic import BaseModel

from support import chat, simulate, text_of
from test_tools import TOOLS

NOVA = "nova-lite"
CLAUDE = "claude"

TIME = {"type": "function", "function": {"name": "get_time", "description": "The time"}}

# An image of one pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk"
    "+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


class City(BaseModel):
    name: str
    zip: int


@pytest.fixture(scope="session", params=["", "/v1"], ids=["bare", "v1"])
def bedrock(request, gateway_url, new_client):
    """Returns a client, with and without the version in its base URL."""
    return new_client(base_url=f"{gateway_url}/bedrock{request.param}")


def asking(content, model=NOVA, **more):
    return chat(content, **more) | {"model": model}


def numbers(usage):
    return (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)


def test_a_chat_completion_names_the_requested_model(bedrock):
    completion = bedrock.chat.completions.create(**asking("Grüße, 世界"))
    assert (completion.object, completion.model) == ("chat.completion", NOVA)
    [choice] = completion.choices
    assert choice.message.content == "You said: Grüße, 世界"
    assert choice.finish_reason == "stop"
    assert numbers(completion.usage) == (14, 12, 26)


def test_a_streamed_chat_ends_with_its_usage(bedrock):
    request = asking("one two", stream=True, stream_options={"include_usage": True})
    *chunks, last = bedrock.chat.completions.create(**request)
    assert text_of(chunks) == "You said: one two"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert all(chunk.usage is None for chunk in chunks)
    assert (last.choices, numbers(last.usage)) == ([], (14, 12, 26))


def test_parallel_tool_calls_make_the_round_trip(bedrock):
    request = asking("use both tools", CLAUDE, tools=[*TOOLS, TIME])
    first = bedrock.chat.completions.create(**request).choices[0]
    assert first.finish_reason == "tool_calls"
    calls = first.message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    arguments = [json.loads(call.function.arguments) for call in calls]
    assert arguments == [{"city": "Paris"}, {}]

    results = [
        {"role": "tool", "tool_call_id": call.id, "content": content}
        for call, content in zip(calls, ["sunny", "12:00"])
    ]
    messages = [*request["messages"], first.message, *results]
    second = bedrock.chat.completions.create(**request | {"messages": messages}).choices[0]
    assert second.message.content == "The tool says: sunny 12:00"


def test_the_stream_helper_assembles_parallel_tool_calls(bedrock):
    request = asking("use both tools", CLAUDE, tools=[*TOOLS, TIME])
    with bedrock.chat.completions.stream(**request) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert [call.function.name for call in calls] == ["get_weather", "get_time"]
    assert [json.loads(call.function.arguments) for call in calls] == [{"city": "Paris"}, {}]


@pytest.mark.parametrize("model", [CLAUDE, NOVA])
def test_the_parse_helper_parses_a_response_to_a_schema(bedrock, model):
    request = asking("a city", model, response_format=City)
    choice = bedrock.chat.completions.parse(**request).choices[0]
    assert choice.message.parsed == City(name="Paris", zip=7)
    assert (choice.finish_reason, choice.message.tool_calls) == ("stop", None)
    with bedrock.chat.completions.stream(**request) as stream:
        streamed = stream.get_final_completion().choices[0].message
    assert streamed.parsed == City(name="Paris", zip=7)


def test_an_image_in_a_data_url_reaches_the_model(bedrock):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    completion = bedrock.chat.completions.create(**asking(content))
    assert "[1 image, png]" in completion.choices[0].message.content


def test_reasoning_is_returned_as_text_and_sent_back_signed(bedrock):
    request = asking("hard", CLAUDE, reasoning_effort="low")
    message = bedrock.chat.completions.create(**request).choices[0].message
    assert message.reasoning_content == "Let me think."
    messages = [*request["messages"], message, {"role": "user", "content": "so"}]
    second = bedrock.chat.completions.create(**request | {"messages": messages})
    assert second.choices[0].message.content == "You said: so"
    chunks = bedrock.chat.completions.create(**request, stream=True)
    deltas = [getattr(chunk.choices[0].delta, "reasoning_content", "") for chunk in chunks]
    assert "".join(deltas) == "Let me think."


def test_embeddings_are_the_same_as_numbers_and_as_base64(bedrock):
    request = {
        "model": "amazon.titan-embed-text-v2:0",
        "input": ["short", "quite a bit longer"],
        "dimensions": 256,
    }
    # By default the SDK requests base64 and decodes it.
    decoded = bedrock.embeddings.create(**request)
    plain = bedrock.embeddings.create(**request, encoding_format="float")
    assert [item.embedding for item in decoded.data] == [item.embedding for item in plain.data]
    first, second = [item.embedding for item in plain.data]
    assert first != second
    assert [len(first), len(second)] == [256, 256]
    assert plain.usage.prompt_tokens > 0


def test_the_models_can_be_listed(bedrock):
    ids = {model.id for model in bedrock.models.list()}
    assert {NOVA, CLAUDE, "amazon.nova-pro-v1:0"} <= ids


@pytest.mark.parametrize(
    ("what", "error", "status", "code"),
    [
        ("status=400", openai.BadRequestError, 400, "validation_exception"),
        ("status=403", openai.PermissionDeniedError, 403, "access_denied"),
        ("status=404", openai.NotFoundError, 404, "model_not_found"),
        ("status=408", openai.APIStatusError, 408, "model_timeout"),
        ("status=424", openai.APIStatusError, 424, "model_error"),
        ("status=429", openai.RateLimitError, 429, "rate_limit_exceeded"),
        ("status=500", openai.InternalServerError, 500, "internal_server_error"),
        ("status=503", openai.InternalServerError, 503, "service_unavailable"),
        ("no_output=1", openai.InternalServerError, 502, "bad_upstream_response"),
        ("cloudflare=2009", openai.InternalServerError, 502, "gateway_credentials"),
        ("cut=head", openai.InternalServerError, 502, "upstream_unreachable"),
    ],
)
def test_a_failure_raises_the_error_of_its_status(bedrock, what, error, status, code):
    with pytest.raises(error) as caught:
        bedrock.chat.completions.create(**asking("hello"), extra_headers=simulate(what))
    assert type(caught.value) is error
    assert (caught.value.status_code, caught.value.code) == (status, code)


def test_an_unknown_key_raises_an_authentication_error(bedrock):
    unauthorized = bedrock.with_options(api_key="sk_" + "0" * 64)
    with pytest.raises(openai.AuthenticationError) as caught:
        unauthorized.chat.completions.create(**asking("hello"))
    assert caught.value.code == "invalid_api_key"


def test_an_unsupported_parameter_is_named(bedrock):
    with pytest.raises(openai.BadRequestError) as caught:
        bedrock.chat.completions.create(**asking("hello", n=2))
    assert (caught.value.code, caught.value.param) == ("unsupported_value", "n")


def test_an_exception_before_the_first_event_has_a_status(bedrock):
    with pytest.raises(openai.RateLimitError):
        bedrock.chat.completions.create(
            **asking("hi", stream=True),
            extra_headers=simulate("exception=throttlingException"),
        )


@pytest.mark.parametrize("what", ["exception=throttlingException,after=3", "cut=stop", "flip=crc"])
def test_a_stream_that_fails_raises_an_error(bedrock, what):
    request = asking("one two", stream=True)
    stream = bedrock.chat.completions.create(**request, extra_headers=simulate(what))
    with pytest.raises(openai.APIError):
        list(stream)
