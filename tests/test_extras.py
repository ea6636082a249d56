"""Advice on optional packages works however lossbench was installed."""

import json
from importlib import metadata

import pytest

from lossbench.extras import install_command

REQUIRES = ["numpy>=2.0", "ray>=2.52; extra == 'ray'", 'a>=1 ; extra == "two"', "b[c]<2; extra == 'two'"]


@pytest.fixture
def installed(monkeypatch):
    """Pretend an installation with this `direct_url.json`."""

    def install(direct_url):
        class Distribution:
            requires = REQUIRES

            def read_text(self, _):
                return direct_url and json.dumps(direct_url)

        monkeypatch.setattr(metadata, "distribution", lambda _: Distribution())

    return install


def test_from_a_checkout_the_extra_of_that_folder(installed, tmp_path):
    """Editable as it was; the folder may have blanks in its name."""
    folder = tmp_path / "a folder"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    installed({"url": folder.as_uri(), "dir_info": {"editable": True}})
    assert install_command("ray") == f"pip install -e '{folder}[ray]'"
    installed({"url": folder.as_uri(), "dir_info": {}})
    assert install_command("ray") == f"pip install '{folder}[ray]'"


@pytest.mark.parametrize(
    "direct_url",
    [
        None,
        {"url": "file:///gone/lossbench", "dir_info": {"editable": True}},
        {"url": "file:///w/lossbench-0.1.0-py3-none-any.whl", "archive_info": {}},
        {"url": "https://example.org/lossbench.git", "vcs_info": {"vcs": "git", "commit_id": "0" * 40}},
    ],
)
def test_from_a_wheel_or_git_the_packages_of_the_extra(installed, direct_url):
    """They are on the package index, which lossbench is not."""
    installed(direct_url)
    assert install_command("ray") == "pip install 'ray>=2.52'"
    assert install_command("two") == "pip install 'a>=1' 'b[c]<2'"
