"""What several tests of training take."""

import pytest

from lossbench.losses import plugin, registry


@pytest.fixture
def users(tmp_path, request):
    """The test module's `PLUGIN` as a file, loaded, and forgotten afterwards."""
    path = tmp_path / "users.py"
    path.write_text(request.module.PLUGIN)
    yield plugin.load(path)
    registry.clear_plugins()
