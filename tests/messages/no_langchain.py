"""A pytest plugin that makes langchain-core look as if it were not installed: `pytest -p no_langchain`."""

import sys

sys.modules["langchain_core"] = None
