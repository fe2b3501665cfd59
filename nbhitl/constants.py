"""Names with a meaning of their own in a graph: the virtual nodes and the reserved write keys."""

from sys import intern
from typing import Final

__all__ = ["END", "START", "TAG_HIDDEN", "TAG_NOSTREAM"]

START: Final = intern("__start__")
"""The virtual first node; also the name of the channel that holds a run's input."""

END: Final = intern("__end__")
"""The virtual last node."""

TAG_NOSTREAM: Final = intern("nostream")
"""Tag of a chat model whose tokens are left out of the stream."""

TAG_HIDDEN: Final = intern("langsmith:hidden")
"""Tag of a node that tracing and drawing leave out."""

# Pseudo nodes that `as_node` accepts besides the graph's own.
INPUT: Final = intern("__input__")
COPY: Final = intern("__copy__")

# Reserved channels of a task's writes: what a task left besides its state updates.
ERROR: Final = intern("__error__")
INTERRUPT: Final = intern("__interrupt__")
RESUME: Final = intern("__resume__")
SCHEDULED: Final = intern("__scheduled__")
NO_WRITES: Final = intern("__no_writes__")
RETURN: Final = intern("__return__")
PREVIOUS: Final = intern("__previous__")
OVERWRITE: Final = intern("__overwrite__")

# The channel of pending Sends, and the two kinds of task path.
TASKS: Final = intern("__pregel_tasks")
PUSH: Final = intern("__pregel_push")
PULL: Final = intern("__pregel_pull")

NULL_TASK_ID: Final = "00000000-0000-0000-0000-000000000000"
"""Task id of writes that no task made: the `update=` and `goto=` of a Command given as input."""

NS_SEP: Final = intern("|")
"""Separates the levels of a checkpoint namespace, `parent:task id|child:task id`."""

NS_END: Final = intern(":")
"""Separates the node's name from the task id within one level of a namespace."""

CONF: Final = intern("configurable")
RECURSION_LIMIT: Final = 10007


def branch_channel(node: str) -> str:
    """The name of the channel that starts `node` in the next step.

    >>> branch_channel("plan")
    'branch:to:plan'
    """
    return f"branch:to:{node}"


def join_channel(sources: tuple[str, ...], target: str) -> str:
    """The name of the barrier channel that starts `target` once all `sources` have run.

    >>> join_channel(("a", "b"), "c")
    'join:a+b:c'
    """
    return f"join:{'+'.join(sources)}:{target}"
