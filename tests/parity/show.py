"""Print what a program sees: `python tests/parity/show.py [part of a case's name] [--engine E] [--repeat N]`.

Without `--engine` both engines run and the difference is printed; `--repeat` checks that LangGraph's
account is stable, which every program must be before it can judge another engine.
"""

from __future__ import annotations

import argparse
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from parity.compare import Case, account, cases, compare, difference, observations
from parity.swap import LANGGRAPH


def _out_of_time(*_: Any) -> None:
    raise TimeoutError("the program ran longer than 20 seconds")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", default="")
    parser.add_argument("--engine")
    parser.add_argument("--repeat", type=int, default=0)
    parser.add_argument("--savers-of", default="nbhitl", help="whose savers nbhitl is given")
    parser.add_argument("--brief", action="store_true", help="only names of cases that differ")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, _out_of_time)
    chosen = [case for case in cases() if options.part in str(case)]
    failed = sum(not _show(case, options) for case in chosen)
    print(f"{len(chosen)} cases, {failed} failed")
    return 1 if failed or not chosen else 0


def _show(case: Case, options: argparse.Namespace) -> bool:
    signal.alarm(20)
    try:
        found = _found(case, options)
    except BaseException:
        found = traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
    if found or options.engine:
        print(f"== {case}" if options.brief else f"== {case}\n{found}")
    return not found or bool(options.engine)


def _found(case: Case, options: argparse.Namespace) -> str:
    if options.repeat:
        first = observations(case, LANGGRAPH)
        if not first:
            return "recorded nothing"
        return "\n".join(
            difference(first, observations(case, LANGGRAPH)) for _ in range(options.repeat)
        ).strip()
    if options.engine:
        return account(observations(case, options.engine))
    return compare(case, options.savers_of)


if __name__ == "__main__":
    sys.exit(main())
