"""Names of channels, and of the entries of a config, at LangGraph's own place for them."""

from nbhitl.constants import (
    CONF,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEYS,
    ERROR,
    INPUT,
    INTERRUPT,
    NO_WRITES,
    NS_END,
    NS_SEP,
    NULL_TASK_ID,
    PULL,
    PUSH,
    RESERVED,
    RESUME,
    RETURN,
    TASKS,
)

__all__ = [
    "CONF",
    "CONFIG_KEY_CHECKPOINTER",
    "ERROR",
    "INPUT",
    "INTERRUPT",
    "NO_WRITES",
    "NS_END",
    "NS_SEP",
    "NULL_TASK_ID",
    "PULL",
    "PUSH",
    "RESERVED",
    "RESUME",
    "RETURN",
    "TASKS",
]


def __getattr__(name: str) -> str:
    if name not in CONFIG_KEYS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return CONFIG_KEYS[name]
