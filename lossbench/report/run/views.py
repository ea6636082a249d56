"""The views of `show`, `diff` and `verify`: for each record a screen and a JSON document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lossbench.inspect.details import RunDetails
from lossbench.inspect.diff import RunDifference
from lossbench.inspect.verification import Verification
from lossbench.json_data import to_json
from lossbench.report.run import details, diff, verification
from lossbench.report.screen import as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import RenderableType


@dataclass(frozen=True)
class View:
    """The two forms of a record: content for a terminal, and what its JSON document contains."""

    screen: Callable[[Any], RenderableType]
    document: Callable[[Any], Any]


VIEWS: Mapping[type, View] = {
    RunDetails: View(details.run_screen, details.run_document),
    RunDifference: View(diff.diff_screen, diff.diff_document),
    Verification: View(verification.verification_screen, verification.verification_document),
}


def view_text(record: RunDetails | RunDifference | Verification, *, as_json: bool) -> str:
    """Return a record as a screen with the colours and the width of stdout, or as JSON with NaN as null."""
    view = VIEWS[type(record)]
    return (
        to_json(view.document(record), ensure_ascii=True) if as_json else as_text(view.screen(record), to_stdout=True)
    )
