"""Print what to run again of a pytest run, a line each: its failed tests, and whole the notebooks of failed cells.

Prints nothing if that is more than a few: such a failure is no accident.
"""

import json
import sys
from pathlib import Path

A_FEW = 5

found = Path(sys.argv[1], "v/cache/lastfailed")
failed = json.loads(found.read_text()) if found.exists() else {}
again = dict.fromkeys(test.split("::")[0] if ".ipynb" in test else test for test in failed)
if 0 < len(again) <= A_FEW:
    print("\n".join(again))
