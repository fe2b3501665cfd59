"""Tests of the savers."""

import pytest

# So that what fails in the contract shows its values, as in a test module.
pytest.register_assert_rewrite(f"{__name__}.contract")
