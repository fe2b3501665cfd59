"""Retry policies: which errors are tried again, how often, and what waits between."""

import operator
import time
from typing import Annotated

import httpx
import requests
from langgraph.graph import START, StateGraph
from langgraph.types import CachePolicy, RetryPolicy, TimeoutPolicy
from typing_extensions import TypedDict


class State(TypedDict):
    path: Annotated[list, operator.add]
    n: int


CONFIG = {"configurable": {"thread_id": "1"}}
QUICK = {"initial_interval": 0.001, "jitter": False}


def failing(times, error=ConnectionError):
    calls = []

    def node(state):
        calls.append(1)
        if len(calls) <= times:
            raise error(f"try {len(calls)}")
        return {"path": [f"ok after {len(calls)}"]}

    return node


def one(node, any_saver=None, **options):
    return (
        StateGraph(State)
        .add_node("node", node, **options)
        .add_edge(START, "node")
        .compile(checkpointer=any_saver)
    )


def program_retry(record, any_saver):
    graph = one(failing(2), any_saver, retry_policy=RetryPolicy(max_attempts=3, **QUICK))
    record("ok", graph.invoke({"path": []}, CONFIG))
    config = {"configurable": {"thread_id": "2"}}
    record.error(
        "too often",
        lambda: one(failing(3), any_saver, retry_policy=RetryPolicy(max_attempts=3, **QUICK)).invoke(
            {"path": []}, config
        ),
        "try 3",
    )


def program_retry_on(record):
    policy = RetryPolicy(max_attempts=3, retry_on=KeyError, **QUICK)
    record("listed", one(failing(1, KeyError), retry_policy=policy).invoke({"path": []}))
    record.error(
        "not listed", lambda: one(failing(1, IndexError), retry_policy=policy).invoke({"path": []}), "try 1"
    )
    many = RetryPolicy(max_attempts=3, retry_on=(KeyError, IndexError), **QUICK)
    record("tuple", one(failing(1, IndexError), retry_policy=many).invoke({"path": []}))
    function = RetryPolicy(max_attempts=3, retry_on=lambda error: "try 1" in str(error), **QUICK)
    record("function", one(failing(1, ValueError), retry_policy=function).invoke({"path": []}))
    record.error(
        "function says no",
        lambda: one(failing(2, ValueError), retry_policy=function).invoke({"path": []}),
        "try 2",
    )


def program_default_retry_on(record):
    policy = RetryPolicy(max_attempts=2, **QUICK)

    class Mine(Exception):
        pass

    for error in (
        ConnectionError,
        ValueError,
        TypeError,
        RuntimeError,
        OSError,
        KeyError,
        Mine,
        ZeroDivisionError,
        AttributeError,
    ):
        graph = one(failing(1, error), retry_policy=policy)
        try:
            record(error.__name__, graph.invoke({"path": []}))
        except error:
            record(error.__name__, "not tried again")


def program_several_policies(record):
    policies = [
        RetryPolicy(max_attempts=2, retry_on=KeyError, **QUICK),
        RetryPolicy(max_attempts=3, retry_on=IndexError, **QUICK),
    ]
    record("second matches", one(failing(2, IndexError), retry_policy=policies).invoke({"path": []}))
    record.error(
        "first is used up",
        lambda: one(failing(2, KeyError), retry_policy=policies).invoke({"path": []}),
        "try 2",
    )


def program_retry_waits(record):
    waits = []
    original = time.sleep
    time.sleep = lambda seconds: waits.append(round(seconds, 3))
    try:
        policy = RetryPolicy(
            initial_interval=0.1, backoff_factor=3, max_interval=0.5, max_attempts=5, jitter=False
        )
        record("result", one(failing(4), retry_policy=policy).invoke({"path": []}))
    finally:
        time.sleep = original
    record("waits", waits)


def program_retry_and_interrupt(record, saver):
    from langgraph.types import Command, interrupt

    calls = []

    def ask(state):
        calls.append(1)
        answer = interrupt("q")
        if len(calls) == 2:
            raise ConnectionError("once")
        return {"path": [answer]}

    graph = one(ask, saver, retry_policy=RetryPolicy(max_attempts=3, retry_on=Exception, **QUICK))
    record("pause", graph.invoke({"path": []}, CONFIG))
    record("calls", len(calls))
    record("answer survives the retry", graph.invoke(Command(resume="A"), CONFIG))
    record("calls", len(calls))


def program_policy_fields(record):
    record("retry", tuple(RetryPolicy()[:5]))
    record("cache", CachePolicy().ttl)
    record("timeout", TimeoutPolicy(run_timeout=3))


def program_default_retry_on_http_errors(record):
    """Statuses count for httpx's errors, not for those of clients that stand on it."""

    class RateLimited(Exception):
        def __init__(self, response):
            self.response, self.status_code = response, response.status_code

    def of_requests(status):
        response = requests.Response()
        response.status_code = status
        return requests.HTTPError(str(status), response=response)

    request = httpx.Request("GET", "http://localhost")
    answers = {status: httpx.Response(status, request=request) for status in (400, 404, 429, 500, 503)}
    errors = {
        "requests, no response": requests.HTTPError("?"),
        "requests, no connection": requests.ConnectionError("?"),
        "httpx, no connection": httpx.ConnectError("?"),
    }
    for status, answer in answers.items():
        errors[f"httpx {status}"] = httpx.HTTPStatusError(str(status), request=request, response=answer)
        errors[f"requests {status}"] = of_requests(status)
        errors[f"client's {status}"] = RateLimited(answer)
    for name, error in errors.items():
        record(name, RetryPolicy().retry_on(error))
        graph = one(
            failing(1, lambda _, error=error: error), retry_policy=RetryPolicy(max_attempts=2, **QUICK)
        )
        try:
            record(name, graph.invoke({"path": []}))
        except type(error):
            record(name, "not tried again")
