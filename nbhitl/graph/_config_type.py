"""A node's or path function's `config` that says it is something else than a run's config."""

from __future__ import annotations

import functools
import warnings
from types import FunctionType
from typing import Any

from nbhitl._runnable import has_invoke
from nbhitl.graph._signature import called


def warn_of_config_type(target: Any) -> None:
    """Warn where the parameter `config` is annotated with a type that is no RunnableConfig.

    It gets the run's config all the same, unless it has a default: then it keeps that.
    """
    if type(target) is FunctionType and (
        "config" not in target.__annotations__ or "config" not in target.__code__.co_varnames
    ):
        return  # nearly always so
    if has_invoke(target):
        return
    while isinstance(target, functools.partial):
        target = target.func
    annotations = getattr(called(target), "__annotations__", None)
    if not annotations or "config" not in annotations:
        return
    given = annotations["config"]
    shown = given if isinstance(given, str) else repr(given)
    if "RunnableConfig" not in shown:
        warnings.warn(
            f"`config` of {getattr(target, '__name__', target)!r} stands for the run's config, and is annotated with "
            f"{shown}: write `config: RunnableConfig`. One with a default and another type keeps its default.",
            UserWarning,
            stacklevel=3,
        )
