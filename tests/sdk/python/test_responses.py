from support import MODEL


def test_a_response_has_its_text_and_usage(client):
    response = client.responses.create(model=MODEL, input="one two")
    assert response.output_text == "You said: one two"
    assert response.status == "completed"
    assert response.model == MODEL
    assert response.usage.total_tokens == 21


def test_the_deltas_of_a_streamed_response_add_up_to_its_text(client):
    events = list(client.responses.create(model=MODEL, input="one two", stream=True))
    assert events[0].type == "response.created"
    assert [event.sequence_number for event in events] == list(range(len(events)))

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert deltas == ["You ", "said: ", "one ", "two"]
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == "".join(deltas)


def test_the_stream_helper_of_the_sdk_ends_with_the_whole_response(client):
    with client.responses.stream(model=MODEL, input="one two") as stream:
        events = list(stream)
        response = stream.get_final_response()
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == "You said: one two"
    assert response.output_text == "You said: one two"
