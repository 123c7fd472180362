import json

from support import chat

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def test_a_tool_call_makes_the_round_trip(client):
    request = chat("How is the weather?", tools=TOOLS)
    first = client.chat.completions.create(**request).choices[0]
    assert first.finish_reason == "tool_calls"
    assert first.message.content is None
    [call] = first.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}

    result = {"role": "tool", "tool_call_id": call.id, "content": "21 °C and sunny"}
    messages = [*request["messages"], first.message, result]
    second = client.chat.completions.create(**{**request, "messages": messages}).choices[0]
    assert second.message.content == "The tool says: 21 °C and sunny"
    assert second.message.tool_calls is None
    assert second.finish_reason == "stop"


def test_a_tool_call_can_be_assembled_from_a_stream(client):
    request = chat("How is the weather?", tools=TOOLS, stream=True)
    chunks = list(client.chat.completions.create(**request))
    deltas = [chunk.choices[0].delta for chunk in chunks]
    pieces = [piece for delta in deltas for piece in delta.tool_calls or []]
    assert pieces[0].id == "call_simulated"
    assert pieces[0].function.name == "get_weather"
    assert {piece.index for piece in pieces} == {0}
    text = "".join(piece.function.arguments for piece in pieces)
    assert json.loads(text) == {"city": "Paris"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_the_stream_helper_of_the_sdk_assembles_a_tool_call(client):
    with client.chat.completions.stream(**chat("How is the weather?", tools=TOOLS)) as stream:
        completion = stream.get_final_completion()
    [call] = completion.choices[0].message.tool_calls
    assert call.id == "call_simulated"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
