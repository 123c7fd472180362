"""OpenAI's Responses API on Amazon Bedrock, which translates it."""

import json

import openai
import pytest
from pydantic import BaseModel

from support import simulate

NOVA = "nova-lite"
CLAUDE = "claude"

TOOLS = [
    {
        "type": "function",
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
    {"type": "function", "name": "get_time", "description": "The time", "parameters": None},
]


class City(BaseModel):
    name: str
    zip: int


@pytest.fixture(scope="session", params=["", "/v1"], ids=["bare", "v1"])
def responses(request, gateway_url, new_client):
    """Returns the Responses API, with and without the version in its base URL."""
    return new_client(base_url=f"{gateway_url}/bedrock{request.param}").responses


def respond(responses, is_stream, **request):
    """Returns the response to a request, whole or at the end of its stream."""
    if not is_stream:
        return responses.create(**request)
    with responses.stream(**request) as stream:
        done = [event.item.id for event in stream if event.type == "response.output_item.done"]
        response = stream.get_final_response()
    assert done == [item.id for item in response.output]
    return response


def outputs(calls, texts):
    return [
        {"type": "function_call_output", "call_id": call.call_id, "output": text}
        for call, text in zip(calls, texts)
    ]


def test_a_response_has_its_text_and_usage(responses):
    response = responses.create(model=NOVA, input="Grüße, 世界", instructions="Be brief.")
    assert response.output_text == "You said: Grüße, 世界"
    assert (response.status, response.model) == ("completed", NOVA)
    assert response.instructions == "Be brief."
    usage = response.usage
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (14, 12, 26)


def test_the_deltas_of_a_stream_add_up_to_its_text(responses):
    events = list(responses.create(model=NOVA, input="one two", stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "You said: one two"
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "You said: one two"


@pytest.mark.parametrize("is_stream", [False, True])
def test_parallel_calls_make_the_round_trip(responses, is_stream):
    asked = {"role": "user", "content": "use both tools aloud"}
    request = {"model": CLAUDE, "tools": TOOLS}
    first = respond(responses, is_stream, input=[asked], **request)
    calls = [item for item in first.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["get_weather", "get_time"]
    assert [json.loads(call.arguments) for call in calls] == [{"city": "Paris"}, {}]

    results = outputs(calls, ["sunny", "12:00"])
    replayed = [item.model_dump(exclude_none=True) for item in first.output]
    second = respond(responses, is_stream, input=[asked, *replayed, *results], **request)
    assert second.output_text == "The tool says: sunny 12:00"


@pytest.mark.parametrize("is_stream", [False, True])
def test_reasoning_is_sent_back_signed(responses, is_stream):
    asked = {"role": "user", "content": "use a tool"}
    request = {"model": CLAUDE, "tools": TOOLS, "reasoning": {"effort": "low"}}
    first = respond(responses, is_stream, input=[asked], **request)
    reasoning, call = first.output
    assert reasoning.summary[0].text == "Let me think."
    [result] = outputs([call], ["sunny"])
    second = respond(responses, is_stream, input=[asked, reasoning, call, result], **request)
    assert second.output_text.startswith("The tool says: sunny")


@pytest.mark.parametrize("model", [CLAUDE, NOVA])
def test_the_parse_helper_parses_a_response_to_a_schema(responses, model):
    response = responses.parse(model=model, input="a city", text_format=City)
    assert response.output_parsed == City(name="Paris", zip=7)
    with responses.stream(model=model, input="a city", text_format=City) as stream:
        assert stream.get_final_response().output_parsed == City(name="Paris", zip=7)


def test_a_response_that_is_cut_is_incomplete(responses):
    response = responses.create(model=NOVA, input="one two", extra_headers=simulate("stop=max_tokens"))
    assert response.status == "incomplete"
    assert response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("param", "more"),
    [
        ("previous_response_id", {"previous_response_id": "resp_1"}),
        ("tools[0].type", {"tools": [{"type": "web_search"}]}),
    ],
)
def test_what_is_not_supported_is_named(responses, param, more):
    with pytest.raises(openai.BadRequestError) as raised:
        responses.create(model=NOVA, input="hello", **more)
    assert (raised.value.param, raised.value.code) == (param, "unsupported_value")


def test_a_stream_that_fails_raises_an_error(responses):
    headers = simulate("exception=throttlingException,after=3")
    with pytest.raises(openai.APIError) as raised:
        list(responses.create(model=NOVA, input="one two", stream=True, extra_headers=headers))
    assert raised.value.code == "rate_limit_exceeded"
