"""Warnings about what a caller asked for and nobody will hear: LangGraph passes over it without a word."""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING, Any, get_args

from nbhitl.errors import did_you_mean
from nbhitl.graph._shapes import MODES
from nbhitl.types import Durability
from nbhitl.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbhitl.graph._options import RunOptions

_DURABILITIES = get_args(Durability)
_VERSIONS = ("v1", "v2")
_KEYWORDS = (
    "context", "stream_mode", "print_mode", "output_keys", "interrupt_before", "interrupt_after", "durability",
    "control", "subgraphs", "debug", "version",
)  # fmt: skip


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=_level_of_program())


def _level_of_program() -> int:
    """Return the `stacklevel`, seen from the caller, of the program's own line: the first that is not nbhitl's."""
    level, frame = 0, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "nbhitl":
        level, frame = level + 1, frame.f_back
    return level + 1


def warn_of_modes(what: str, given: Iterable[Any]) -> None:
    """Warn of stream modes that there are not: nothing comes of them."""
    for mode in given:
        if mode not in MODES:
            known = ", ".join(sorted(MODES))
            _warn(
                f"{what}={mode!r}: there is no such mode, so nothing comes of it.{did_you_mean(mode, MODES)} "
                f"Modes are {known}."
            )


def warn_of_options(options: RunOptions, *, saves: bool) -> None:
    """Warn of a durability or version that there is not, and of a durability without a checkpointer."""
    durability, version = options.durability, options.version
    if durability is not None and not saves:
        _warn("`durability` has no effect when no checkpointer is present.")
    if durability is not None and durability not in _DURABILITIES:
        _warn(
            f"durability={durability!r}: there is no such durability, and checkpoints are saved as with 'async'."
            f"{did_you_mean(durability, _DURABILITIES)} It can be {', '.join(_DURABILITIES)}."
        )
    if version not in _VERSIONS:
        _warn(f"version={version!r}: there is no such version, so it is as with 'v1'. Versions are v1, v2.")


def warn_of_input(given: Iterable[str], keys: Iterable[str]) -> None:
    """Warn of an input that has none of the keys that the graph takes: it runs as with an empty one."""
    names, known = sorted(map(str, given)), sorted(keys)
    near = next(filter(None, (did_you_mean(name, known) for name in names)), "")
    _warn(
        f"The input has no key that the graph takes: it has {', '.join(names)}, and the graph takes "
        f"{', '.join(known) or 'none'}. Nothing of it reaches the state.{near}"
    )


def known_nodes(what: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the nodes that there are, and warn of names that are none: nothing is done for them."""
    names, known = list(given), list(known)
    if isinstance(given, str):
        _warn(
            f"{what}({given!r}): it takes a list of names, and as it stands nothing is done. Write [{given!r}]."
        )
        return []
    for name in names:
        if name not in known:
            _warn(
                f"{what}: there is no node {name!r}, so nothing is done for it.{did_you_mean(name, known)} "
                f"Nodes are {', '.join(known)}."
            )
    return [name for name in names if name in known]


def older_keywords(given: Mapping[str, Any], durability: Durability | None) -> Durability | None:
    """Return the durability that keywords of older programs ask for, and warn of keywords that a run does not have.

    A misspelt `interrupt_before` would be a skipped question.

    Raises:
        ValueError: both `checkpoint_during` and `durability` were given.
    """
    for name, value in given.items():
        if name != "checkpoint_during":
            _warn(f"{name}={value!r} is ignored: a run has no such keyword.{did_you_mean(name, _KEYWORDS)}")
        elif value is not None:
            if durability is not None:
                raise ValueError(
                    "Cannot use both `checkpoint_during` and `durability` parameters. Please use `durability` instead."
                )
            text = "`checkpoint_during` is deprecated and will be removed. Please use `durability` instead."
            warnings.warn(LangGraphDeprecatedSinceV10(text), stacklevel=_level_of_program())
            return "async" if value else "exit"
    return durability


def warn_of_keepers(store: Any, cache: Any) -> None:
    """Warn of a `store=` or `cache=` that is none; nodes would find that out."""
    for what, given, methods in (("store", store, ("batch", "abatch")), ("cache", cache, ("get", "set"))):
        if given is not None and not all(callable(getattr(given, method, None)) for method in methods):
            _warn(
                f"compile({what}={given!r}): that is no {what}; it lacks {' and '.join(methods)}. Give an instance of "
                f"nbhitl.{what}.base.Base{what.title()}, for example nbhitl.{what}.memory.InMemory{what.title()}()."
            )
