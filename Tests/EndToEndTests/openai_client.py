"""Drives a gateway with the official OpenAI client: openai_client.py BASE_URL KEY

Each function that begins with `case_` is one case; the model names choose what the scripted server behind the gateway
does. One line for each case: `ok NAME` or `FAILED NAME: reason`.
"""

import json
import sys
import traceback

import openai

BASE_URL, KEY = sys.argv[1:3]
client = openai.OpenAI(base_url=BASE_URL + "/v1", api_key=KEY, max_retries=0, timeout=30)
HI = [{"role": "user", "content": "Hi"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def raises(kind, status=None, **call):
    call = {"model": "plain", "messages": HI} | call
    try:
        client.chat.completions.create(**call)
    except kind as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}"
        if status is not None:
            assert error.status_code == status, error.status_code
            assert error.body["message"], error.body
            assert error.response.headers["x-request-id"]
        return error
    raise AssertionError(f"no {kind.__name__}")


def case_whole_answer():
    answer = client.chat.completions.create(model="plain", messages=HI)
    assert answer.choices[0].message.content == "Hello from the mock.", answer
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 9, answer.usage
    assert answer._request_id


def case_stream():
    chunks = list(client.chat.completions.create(model="plain", messages=HI, stream=True))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "Hello from the mock.", text
    assert chunks[-1].choices and chunks[-1].choices[0].finish_reason == "stop", chunks[-1]
    assert all(c.usage is None for c in chunks), "usage was not asked for"


def case_stream_with_usage():
    options = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="plain", messages=HI, stream=True, stream_options=options))
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 4, chunks[-1]


def case_stream_ends_when_the_client_leaves():
    with client.chat.completions.create(model="plain", messages=HI, stream=True) as stream:
        next(iter(stream))
    case_whole_answer()


def case_tool_calls():
    answer = client.chat.completions.create(model="tools", messages=HI, tools=TOOLS, tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.id, call.function.name) == ("call_1", "get_weather"), call
    assert json.loads(call.function.arguments) == {"city": "Köln"}


def case_tool_calls_streamed():
    arguments, names = "", []
    for chunk in client.chat.completions.create(model="tools", messages=HI, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
            names += [call.function.name] if call.function.name else []
    assert names == ["get_weather"] and json.loads(arguments) == {"city": "Köln"}, (names, arguments)


def case_completion():
    answer = client.completions.create(model="plain", prompt="Once upon a")
    assert answer.choices[0].text == " time", answer


def case_embeddings():
    floats = client.embeddings.create(model="plain", input=["one"], encoding_format="float")
    assert floats.data[0].embedding == [0.25, -0.5, 1], floats
    # The client asks for base 64 by default, and takes what it gets.
    default = client.embeddings.create(model="plain", input="one")
    assert list(default.data[0].embedding) == [0.25, -0.5, 1], default


def case_models():
    names = [model.id for model in client.models.list()]
    assert "plain" in names and "tools" in names, names
    assert client.models.retrieve("plain").id == "plain"


def case_unknown_model():
    error = raises(openai.NotFoundError, 404, model="unknown")
    assert error.code == "model_not_found" and error.param == "model", error.body
    try:
        client.models.retrieve("unknown")
    except openai.NotFoundError:
        return
    raise AssertionError("no NotFoundError")


def case_wrong_key():
    stranger = client.with_options(api_key="wrong")
    try:
        stranger.chat.completions.create(model="plain", messages=HI)
    except openai.AuthenticationError as error:
        assert error.status_code == 401 and error.code == "invalid_api_key", error.body
        assert error.response.headers["www-authenticate"]
        return
    raise AssertionError("no AuthenticationError")


def case_bad_request():
    error = raises(openai.BadRequestError, 400, model="status-400")
    assert "scripted" in error.message and error.code == "scripted_code", error.body


def case_conflict():
    raises(openai.ConflictError, 409, model="status-409")


def case_unprocessable():
    raises(openai.UnprocessableEntityError, 422, model="status-422")


def case_rate_limited():
    error = raises(openai.RateLimitError, 429, model="status-429")
    assert int(error.response.headers["retry-after"]) >= 1


def case_upstream_failed():
    for model, status in [("status-500", 502), ("status-503", 503), ("status-401", 502)]:
        error = raises(openai.InternalServerError, status, model=model)
        assert "scripted" not in error.message, "what the provider said of our own call is not for clients"


def case_upstream_not_there():
    error = raises(openai.InternalServerError, 502, model="nobody")
    assert "127.0.0.1" not in str(error.body), "upstream addresses are not for clients"


def case_upstream_timeout():
    raises(openai.InternalServerError, 504, model="slow")


def case_client_timeout():
    try:
        client.with_options(timeout=0.2).chat.completions.create(model="stalled", messages=HI)
    except openai.APITimeoutError:
        return
    raise AssertionError("no APITimeoutError")


def case_body_too_large():
    try:
        client.chat.completions.create(model="plain", messages=[{"role": "user", "content": "x" * 200_000}])
    except openai.APIStatusError as error:
        assert error.status_code == 413, error.status_code
        return
    raise AssertionError("no APIStatusError")


def case_wrong_types():
    for body in [{"messages": "text", "model": 5}, {"messages": HI}, {"model": None, "messages": HI}, []]:
        try:
            client.post("/chat/completions", body=body, cast_to=object)
        except openai.BadRequestError as error:
            assert error.body["message"], error.body
        else:
            raise AssertionError(f"no BadRequestError for {body}")


def case_cut_stream():
    try:
        for _ in client.chat.completions.create(model="cut", messages=HI, stream=True):
            pass
    except openai.APIError:
        return
    raise AssertionError("a cut stream looked complete")


def main():
    failed = 0
    for name, case in list(globals().items()):
        if not name.startswith("case_"):
            continue
        try:
            case()
            print("ok", name.removeprefix("case_"), flush=True)
        except Exception as error:
            failed += 1
            traceback.print_exc()
            reason = str(error).replace("\n", " ") or type(error).__name__
            print(f"FAILED {name.removeprefix('case_')}: {type(error).__name__}: {reason}", flush=True)
    sys.exit(1 if failed else 0)


main()
