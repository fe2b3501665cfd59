"""What a path function is shown, and where its answer leads; pure."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from nbhitl.engine.read import in_schema_order, read_state, with_writes
from nbhitl.engine.writes import refuse_foreign, target_writes
from nbhitl.errors import UnknownPathKey, nearest
from nbhitl.types import Command, Send

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbhitl.engine.program import Branch, Node, Program
    from nbhitl.engine.running import RunningTask


def path_state(
    running: RunningTask,
    branch: Branch,
    values: Mapping[str, Any],
    writes: list[tuple[str, Any]],
    returned: Any,
) -> Any:
    """Return the state as a path function gets it: with the task's own writes applied."""
    run = running.run
    after = with_writes(run.program, values, writes)
    if len(after) != len(values) or run.program.objects:
        after = in_schema_order(run.program, after, len(after) - len(values))
    state = read_state(branch.reader, after, running.task.step, run.stop, own=True)
    if branch.merges_return and type(state) is dict and isinstance(returned, dict):
        return {**returned, **state}
    return state


def path_routes(running: RunningTask, branch: Branch, answer: Any) -> list[tuple[str, Any]]:
    """Return the writes that start what a path function named: one place, or a list of places.

    Raises:
        ValueError: it named nothing.
        UnknownPathKey: the branch has a path map, and the answer is not in it.
        UnknownNodeError: there is no such node.
    """
    program = running.run.program
    if type(answer) is str:
        channel = program.goto.get(answer if branch.ends is None else branch.ends.get(answer, ""))
        if channel is not None:
            return [(channel, None)]
    return _routes(program, running.node, branch, answer)


def _routes(program: Program, node: Node, branch: Branch, answer: Any) -> list[tuple[str, Any]]:
    """As `path_routes`, for every answer that is not simply the name of a node."""
    targets = answer if isinstance(answer, (list, tuple)) else [answer]
    where = f"the conditional edge {branch.name!r} of node {node.name!r}"
    routes: list[tuple[str, Any]] = []
    for target in targets:
        if isinstance(target, Command):
            raise ValueError(
                f"Branch did not return a valid destination: {where} returned {target!r:.200}. A path function returns "
                "a node's name, END, a Send, or a list of these: return what you gave as goto=, or return the Command "
                f"from node {node.name!r} itself."
            )
        named = _named_end(branch, target, where)
        if named is None:
            raise ValueError(
                f"Branch did not return a valid destination: {where} returned None. Return a node's name, END, a "
                "Send, or a list of these."
            )
        routes.extend(target_writes(program, named, where))
    return routes


def _named_end(branch: Branch, target: Any, where: str) -> Any:
    """Return the node that a path function's answer stands for."""
    if branch.ends is None or isinstance(target, Send):
        return target
    try:
        return branch.ends[target]
    except (KeyError, TypeError):
        refuse_foreign(target, f"what {where} returned")
        known = [str(key) for key in branch.ends]
        message = (
            f"{where} returned {target!r}, which its path map does not have."
            f"{nearest(target, known, 'It has')} Return one of its keys, or add this one to path_map."
        )
        raise (UnknownPathKey if isinstance(target, Hashable) else TypeError)(message) from None
