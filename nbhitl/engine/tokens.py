"""What LangChain's callbacks tell while a node runs: the tokens of its chat models, and signs of life."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from nbhitl._langchain import langchain_module
from nbhitl.constants import NS_SEP, TAG_HIDDEN, TAG_NOSTREAM
from nbhitl.engine.called_langgraph import below, calling_task
from nbhitl.engine.messages import messages_in

if TYPE_CHECKING:
    from uuid import UUID

    from nbhitl.engine.events import Stream
    from nbhitl.engine.running import RunningTask

_HIDDEN_TAG = "seq:step"


def token_handler(stream: Stream) -> Any:
    """Return a LangChain callback handler that reports tokens to `stream`; None without langchain-core."""
    made = _handler_class()
    return None if made is None else made(stream)


def pulse_handler(running: RunningTask) -> Any:
    """Return a callback handler to which every event is a sign of life; None without langchain-core."""
    made = _pulse_class()
    return None if made is None else made(running)


def with_handler(callbacks: Any, handler: Any) -> Any:
    """Return the `callbacks` of a config with `handler` among them, once; the given ones are not changed."""
    if callbacks is None:
        return [handler]
    if isinstance(callbacks, (list, tuple)):
        return callbacks if handler in callbacks else [*callbacks, handler]
    if handler in callbacks.handlers:
        return callbacks
    extended = callbacks.copy()
    extended.add_handler(handler, inherit=True)
    return extended


def closed_handlers(callbacks: Any) -> list[Any]:
    """Return those of a callback manager that tell of models to a stream that shows no called graphs."""
    handlers = getattr(callbacks, "handlers", ())
    return [each for each in handlers if isinstance(each, _Models) and not each.stream.shows_below]


def without_closed(callbacks: Any) -> Any:
    """Return a callback manager without its `closed_handlers`; the given one is not changed."""
    left = callbacks.copy()
    for handler in closed_handlers(callbacks):
        left.remove_handler(handler)
    return left


def _about(metadata: dict[str, Any], tags: list[str] | None) -> dict[str, Any]:
    shown = [tag for tag in tags or () if not tag.startswith(_HIDDEN_TAG)]
    return {**metadata, "tags": shown} if shown else metadata


def _placed(place: str, metadata: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the namespace of the graph that runs at `place`, and the metadata to show with its messages.

    The metadata are the given ones, but for a graph of another engine's that a node of ours called.
    """
    calling = calling_task(place)
    if calling is None:
        return place.rpartition(NS_SEP)[0], metadata
    ns = below(calling, place)
    return ns, {**metadata, "langgraph_checkpoint_ns": f"{calling}{NS_SEP}{place}", "checkpoint_ns": ns}


def _named(message: Any) -> Any:
    """Give a message that has no id one: readers put the chunks of a message together by it."""
    if message.id is None:
        message.id = str(uuid4())
    return message


class _NodesBelow:
    """The part of a handler that reports what nodes of another engine's graph return, as is done for our own nodes.

    A graph or a Runnable that a node calls, named like the node, is taken for it, as in LangGraph.
    """

    stream: Stream
    calls: dict[UUID, tuple[str, dict[str, Any]]]

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
        **_: Any,
    ) -> None:
        place = (metadata or {}).get("langgraph_checkpoint_ns")
        if metadata is None or place is None or name != metadata.get("langgraph_node"):
            return
        ns, shown = _placed(str(place), metadata)
        if TAG_HIDDEN in (tags or ()) or not self.stream.shows(ns):
            return
        for message in messages_in(inputs):
            self.stream.known_message(message)
        self.calls[run_id] = (ns, shown)

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        ns, metadata = self.calls.pop(run_id, (None, None))
        if ns is None or metadata is None:
            return
        for message in messages_in(outputs):
            self.stream.own_message(ns, _named(message), metadata, once=True)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.calls.pop(run_id, None)


class _Models(_NodesBelow):
    """Reports the chunks of each model too, or its whole message where it does not stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.calls: dict[UUID, tuple[str, dict[str, Any]]] = {}

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: Any,
        *,
        run_id: UUID,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        place = (metadata or {}).get("langgraph_checkpoint_ns")
        if metadata is None or place is None or (tags and TAG_NOSTREAM in tags):
            return
        ns, shown = _placed(str(place), metadata)
        if self.stream.shows(ns):
            self.calls[run_id] = (ns, _about(shown, tags))

    def on_llm_new_token(self, token: str, *, chunk: Any = None, run_id: UUID, **_: Any) -> None:
        call = self.calls.get(run_id)
        message = getattr(chunk, "message", None)
        if call is not None and message is not None:
            self.stream.own_message(call[0], _named(message), call[1], once=False)

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        call = self.calls.pop(run_id, None)
        if call is None or not response.generations or not response.generations[0]:
            return
        message = getattr(response.generations[0][0], "message", None)
        if message is not None:
            self.stream.own_message(call[0], _named(message), call[1], once=True)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self.calls.pop(run_id, None)

    def tap_output_aiter(self, run_id: UUID, output: Any) -> Any:
        return output

    def tap_output_iter(self, run_id: UUID, output: Any) -> Any:
        return output


@cache
def _handler_class() -> Any:
    """Make the class of handlers. Its second base tells LangChain that its models shall stream."""
    callbacks = langchain_module("callbacks")
    streaming = langchain_module("tracers._streaming")
    if callbacks is None or streaming is None:
        return None

    class TokenHandler(_Models, callbacks.BaseCallbackHandler, streaming._StreamingCallbackHandler):  # type: ignore[misc, name-defined]
        run_inline = True  # in the model's own thread, so that the tokens keep their order

    return TokenHandler


_SIGNS = ("chain", "llm", "tool", "retriever")


@cache
def _pulse_class() -> Any:
    callbacks = langchain_module("callbacks")
    if callbacks is None:
        return None

    class PulseHandler(callbacks.BaseCallbackHandler):  # type: ignore[misc, name-defined]
        """Notes every start, token and end of what a node calls."""

        run_inline = True

        def __init__(self, running: RunningTask) -> None:
            self.running = running

    def sign(self: Any, *_: Any, **__: Any) -> None:
        self.running.sign_of_life()

    for what in _SIGNS:
        for when in ("start", "end", "error"):
            setattr(PulseHandler, f"on_{what}_{when}", sign)
    for name in ("on_chat_model_start", "on_llm_new_token", "on_custom_event", "on_text"):
        setattr(PulseHandler, name, sign)
    return PulseHandler
