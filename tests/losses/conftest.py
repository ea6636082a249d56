"""What the tests of the losses share."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def only_the_catalogue() -> Iterator[None]:
    """A plugin that one test loads is not seen by the next."""
    from lossbench.losses import registry

    registry.clear_plugins()
    yield
    registry.clear_plugins()
