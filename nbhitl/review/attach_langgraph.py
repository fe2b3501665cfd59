"""The one door to LangGraph: what its compiled graphs want done differently. Imported only for such a graph.

Resumes are always id maps in strict mode: its scalar resumes answer whatever question is open at the moment,
`{}` and None only count as answers within a map, and unknown ids are ignored unless it is told not to.
"""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from nbhitl.review.engines import STRICT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

OLDEST = (1, 2, 22)
"""LangGraph's current release; older ones number the questions of a node differently."""


def check_release(found: str) -> None:
    """Raise ValueError if LangGraph `found` is older than what nbhitl works with.

    >>> check_release("1.2.22")
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", found)[:3])
    if numbers < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise ValueError(
            f"This graph was compiled by LangGraph {found}; nbhitl attaches to {wanted} or newer. "
            f'Update it: pip install -U "langgraph>={wanted}"'
        )


class LangGraphEngine:
    """LangGraph's engine."""

    name = "langgraph"
    lists_answered = True
    claims_answers = False

    def __init__(self) -> None:
        check_release(version("langgraph"))

    def answered(
        self, task_ns: str, interrupt_ids: Sequence[str], writes: Iterable[tuple[str, str, Any]], task_id: str
    ) -> set[str]:
        """Return which of a task's listed questions have an answer among its checkpoint's pending writes.

        LangGraph lists a question on until its node is done, and gives it the first answer whatever comes
        later. The k-th question of a task has an id made from the task's namespace and k, so the one that
        waits is known by the number of answers.
        """
        from langgraph.types import Interrupt

        saved = [value for owner, channel, value in writes if owner == task_id and channel == "__resume__"]
        count = max((len(value) for value in saved if isinstance(value, list)), default=0)
        if not count:
            return set()
        waits = Interrupt.from_ns(value=None, ns=f"{task_ns}|{count}").id
        return {listed for listed in interrupt_ids if listed != waits}

    def resume(self, answers: Mapping[str, Any]) -> Any:
        """Return the input that delivers `{interrupt id: answer}`."""
        from langgraph.types import Command

        return Command(resume=dict(answers))

    def go_to(self, node: str) -> Any:
        """Return the input that starts `node`."""
        from langgraph.types import Command

        return Command(goto=node)

    def reducers(self, graph: Any) -> frozenset[str]:
        """Return the state keys of `graph` that have a reducer."""
        from langgraph.channels import BinaryOperatorAggregate

        return frozenset(key for key, c in graph.channels.items() if isinstance(c, BinaryOperatorAggregate))

    def is_command(self, value: Any) -> bool:
        """Whether `value` is LangGraph's Command."""
        from langgraph.types import Command

        return isinstance(value, Command)

    def answering(self, config: Mapping[str, Any], by: str) -> dict[str, Any]:
        """Return `config` with resumes of unknown questions refused; LangGraph does not keep who answers."""
        return {**config, "configurable": {**config["configurable"], STRICT: True}}

    def is_invalid_answer(self, error: BaseException) -> bool:
        """Whether `error` judges an answer, and nothing was saved."""
        from langgraph.errors import is_invalid_resume

        return isinstance(error, Exception) and bool(is_invalid_resume(error))

    def is_unknown_question(self, error: BaseException) -> bool:
        """Whether `error` says that the question is not open."""
        from langgraph.errors import UnknownInterruptError

        return isinstance(error, UnknownInterruptError)


def send_of(node: str, arg: Any) -> Any:
    """Return LangGraph's Send."""
    from langgraph.types import Send

    return Send(node, arg)


def interrupt_of(value: Any, task_ns: str, index: int, response_schema: Any) -> Any:
    """Return question number `index` of a LangGraph task, with the id that LangGraph gives it."""
    from langgraph.types import Interrupt

    ns = f"{task_ns}|{index}" if index else task_ns
    return Interrupt.from_ns(value, ns, response_schema=response_schema)


def ask_langgraph(payload: Any) -> Any:
    """Return the answer to `payload`, asked by the LangGraph node that is running.

    Raises:
        RuntimeError: no LangGraph node is running here.
    """
    from langgraph.types import interrupt

    return interrupt(payload)


def langgraph_saver() -> tuple[Any, str]:
    """Return the checkpointer and the thread of the LangGraph node that is running.

    Raises:
        RuntimeError: its graph has no checkpointer.
    """
    from langgraph.config import get_config

    config = get_config()["configurable"]
    saver = config.get("__pregel_checkpointer")
    if saver is None or saver is True or saver is False:
        raise RuntimeError(
            "once() in a LangGraph graph needs a checkpointer that remembers the thread: "
            "compile(checkpointer=...)."
        )
    return saver, str(config["thread_id"])
