"""The keywords that a compiled graph's run methods share."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from nbhitl._slotted import slotted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from nbhitl.graph._compiled import CompiledStateGraph
    from nbhitl.runtime import RunControl
    from nbhitl.types import All, Durability


@slotted
class RunOptions:
    """The keywords that invoke and stream share."""

    context: Any
    output_keys: str | Sequence[str] | None
    interrupt_before: All | Sequence[str] | None
    interrupt_after: All | Sequence[str] | None
    durability: Durability | None
    control: RunControl | None
    subgraphs: bool
    version: str
    print_mode: tuple[str, ...]

    def with_output_of(self, graph: CompiledStateGraph) -> RunOptions:
        """Return them for chunks that are a result: with the keys of the graph's output, where none are named."""
        if self.output_keys is not None:
            return self
        options = copy(self)
        options.output_keys = graph.output_channels
        return options

    def is_quiet(self) -> bool:
        """Whether they ask for no chunks."""
        return not (self.print_mode or self.subgraphs or self.version != "v1")


USUAL = RunOptions(None, None, None, None, None, None, False, "v1", ())
"""What most calls ask for."""


def run_options(
    context: Any,
    output_keys: str | Sequence[str] | None,
    interrupt_before: All | Sequence[str] | None,
    interrupt_after: All | Sequence[str] | None,
    durability: Durability | None,
    control: RunControl | None,
    subgraphs: bool,
    version: str,
    *,
    print_mode: str | Collection[str],
    debug: bool,
) -> RunOptions:
    """Return the keywords of a call together; `USUAL` itself where it leaves out all of them."""
    if (
        context is None
        and output_keys is None
        and interrupt_before is None
        and interrupt_after is None
        and durability is None
        and control is None
        and not (subgraphs or print_mode or debug)
        and version == "v1"
    ):
        return USUAL
    return RunOptions(
        context, output_keys, interrupt_before, interrupt_after, durability, control, subgraphs, version,
        _print_modes(print_mode, debug),
    )  # fmt: skip


def _print_modes(print_mode: str | Collection[str], debug: bool) -> tuple[str, ...]:
    """Return the modes to print."""
    named = (print_mode,) if isinstance(print_mode, str) else tuple(print_mode)
    return (*named, *(mode for mode in ("updates", "values") if mode not in named)) if debug else named
