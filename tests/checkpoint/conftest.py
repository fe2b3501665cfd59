"""A serializer for the tests of this folder."""

import pytest

from nbhitl.checkpoint.serde import Serde

from .values import CLASSES


@pytest.fixture
def serde() -> Serde:
    serde = Serde()
    serde.register(*CLASSES)
    return serde
