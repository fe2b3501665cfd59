"""`python -m nbhitl` is the command `nbhitl`."""

from __future__ import annotations

from nbhitl.cli import main

raise SystemExit(main())
