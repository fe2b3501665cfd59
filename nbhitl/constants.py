"""Names with a meaning of their own in a graph: the virtual nodes and the reserved write keys."""

from typing import Final

__all__ = ["END", "START", "TAG_HIDDEN", "TAG_NOSTREAM"]

START: Final = "__start__"
"""The virtual first node; also the name of the channel that holds a run's input."""

END: Final = "__end__"
"""The virtual last node."""

TAG_NOSTREAM: Final = "nostream"
"""Tag of a chat model whose tokens are left out of the stream."""

TAG_HIDDEN: Final = "langsmith:hidden"
"""Tag of a node that tracing and drawing leave out."""

# Pseudo nodes that `as_node` accepts besides the graph's own.
INPUT: Final = "__input__"
COPY: Final = "__copy__"

# Reserved channels of a task's writes: what a task left besides its state updates.
ERROR: Final = "__error__"
INTERRUPT: Final = "__interrupt__"
RESUME: Final = "__resume__"
SCHEDULED: Final = "__scheduled__"
"""How often the node of a task that is not done has started; not written before the second time."""
NO_WRITES: Final = "__no_writes__"
RETURN: Final = "__return__"
CHILDREN: Final = "__children__"
PREVIOUS: Final = "__previous__"
OVERWRITE: Final = "__overwrite__"

# The channel of pending Sends, and the two kinds of task path.
TASKS: Final = "__pregel_tasks"
PUSH: Final = "__pregel_push"
PULL: Final = "__pregel_pull"

NULL_TASK_ID: Final = "00000000-0000-0000-0000-000000000000"
"""Task id of writes that no task made: the `update=` and `goto=` of a Command given as input."""

NS_SEP: Final = "|"
"""Separates the levels of a checkpoint namespace, `parent:task id|child:task id`."""

NS_END: Final = ":"
"""Separates the node's name from the task id within one level of a namespace."""

CONF: Final = "configurable"
CONFIG_KEY_CHECKPOINTER: Final = "__pregel_checkpointer"
RECURSION_LIMIT: Final = 10007

RESERVED: Final = frozenset({
    INPUT, INTERRUPT, RESUME, ERROR, NO_WRITES, "__error_source_node__", PUSH, PULL, CONF, CONFIG_KEY_CHECKPOINTER,
    "checkpoint_id", "checkpoint_ns", "checkpoint_map", "__pregel_read", "__pregel_replay_state", "__pregel_resume_map",
    "__pregel_resuming", "__pregel_send", "__pregel_stream", "__pregel_strict_resume", "__pregel_task_id",
})  # fmt: skip
"""What neither a node nor a state key may be called: the pseudo nodes, the write keys, and entries of configs."""

FIRST_STEP = "seq:step:1"
"""The tag with which LangChain's handlers are told of what a node calls: path functions come after it."""

UNNAMED = "condition"
"""The name of a conditional edge whose path function has none, such as a lambda."""


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


CONFIG_KEYS: Final = {
    "CONFIG_KEY_CHECKPOINT_ID": "checkpoint_id",
    "CONFIG_KEY_CHECKPOINT_MAP": "checkpoint_map",
    "CONFIG_KEY_CHECKPOINT_NS": "checkpoint_ns",
    "CONFIG_KEY_READ": "__pregel_read",
    "CONFIG_KEY_RUNTIME": "__pregel_runtime",
    "CONFIG_KEY_SEND": "__pregel_send",
    "CONFIG_KEY_STRICT_RESUME": "__pregel_strict_resume",
    "CONFIG_KEY_THREAD_ID": "thread_id",
}
"""Keys of `configurable`, by the names that programs import."""


def __getattr__(name: str) -> object:
    # Older programs import these from here.
    if name not in ("Interrupt", "Send", *CONFIG_KEYS):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import warnings
    from importlib import import_module

    from nbhitl.warnings import LangGraphDeprecatedSinceV10

    text = f"`{name}` is deprecated as one of `{__name__}`. "
    text += f"Write {CONFIG_KEYS[name]!r}." if name in CONFIG_KEYS else "Import it from `nbhitl.types`."
    warnings.warn(LangGraphDeprecatedSinceV10(text), stacklevel=2)
    found: object = CONFIG_KEYS[name] if name in CONFIG_KEYS else getattr(import_module("nbhitl.types"), name)
    return found
