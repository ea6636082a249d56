"""Python API: `lossbench.compare`; `train`, `sweep` and `load_model` are in `experiments.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from numbers import Integral
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from lossbench.errors import UsageError
from lossbench.metrics import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from lossbench.analysis.query import Answer
    from lossbench.analysis.result import Comparison


def compare(  # noqa: PLR0913 - one parameter per property of a query
    paths: Path | str | Iterable[Path | str] = "runs",
    *,
    metrics: Sequence[str] | str = DEFAULTS,
    where: str | None = None,
    seeds: Iterable[int] | int | None = None,
    at: Literal["last", "best"] = "last",
    by: Sequence[str] | str = ("loss",),
    across: Sequence[str] | str = (),
    pivot: str | None = None,
    map: Sequence[str] | str = (),  # noqa: A002 - the option's name
    labels: Mapping[str, str] = MappingProxyType({}),
    baseline: str | None = None,
    confidence: float = 0.95,
    rope: str | float | None = None,
    unpaired: bool = False,
    allow_different: Sequence[str] | str = (),
    write_index: bool = False,
) -> Compared:
    """Compare losses over seeds, as `lossbench compare` does. One name or seed need not be in a list.

    Args:
        paths: One or several run folders, or folders that contain them.
        metrics: Names of metrics; the first carries the verdict.
        where: Condition on runs, e.g. `"data.label_noise.rate == 0.2 and status == 'completed'"`.
        seeds: Seeds to select; None selects all.
        at: Epoch whose weights were tested: the last, or the best by validation.
        by: Keys that define a group: `loss`, `loss.name`, or dotted keys.
        across: Keys that define the outermost blocks.
        pivot: Key whose values are the columns of a table of losses, e.g. `"data.label_noise.rate"`.
        map: One or two keys; the table shows which losses may be best at each of their values.
        labels: Names under which tables show losses, e.g. `{"my_robust": "Ours"}`.
        baseline: Baseline loss; None: categorical_crossentropy, if it is among the losses.
        confidence: Confidence of the intervals, in (0, 1).
        rope: Losses are equivalent if the interval of their difference lies within this size, e.g. `"0.1pp"`; of a
            metric that is no percentage, such as NLL, a number.
        unpaired: Do not pair the seeds.
        allow_different: Keys that may differ between losses although a fair comparison needs them equal, with the keys
            below them, e.g. `["train.epochs"]`.
        write_index: Write `.index.json` to each path, which makes later reads of many runs faster.

    Returns:
        A comparison that displays as a table; `.groups`, `.seeds` and, with a map, `.cells` are frames.

    Raises:
        UsageError: An argument is not valid, or names a path, key, metric or loss that does not exist.
        NothingMatchedError: No run is selected.

    Example:
        lossbench.compare("runs", metrics=["nll"]).groups.sort_values("nll_mean")
    """
    from lossbench.analysis.query import Query, answer
    from lossbench.losses.labels import label_of

    query = Query(
        paths=tuple(Path(each) for each in ([paths] if isinstance(paths, Path | str) else paths)),
        metric_names=_names("metrics", metrics),
        where=where,
        seeds=_seeds(seeds),
        at=at,
        by=_names("by", by) or None,
        across=_names("across", across),
        pivot=pivot,
        map_keys=_names("map", map),
        labels=tuple({label_of(label): name} for label, name in labels.items()),
        baseline=baseline and label_of(baseline),
        confidence=confidence,
        rope=rope,
        unpaired=unpaired,
        allow_different=_names("allow_different", allow_different),
        write_index=write_index,
    )
    return Compared(answer(query))


def _names(parameter: str, value: object) -> tuple[str, ...]:
    """Return the names in a sequence; a text is one name."""
    names = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if all(isinstance(name, str) for name in names):
        return tuple(map(str, names))
    raise UsageError(f"expected names, e.g. ['loss'], got {value!r}", parameter=parameter)


def _seeds(value: object) -> frozenset[int] | None:
    """Return seeds as a set; a number is one seed, None selects all."""
    if value is None:
        return None
    seeds = [value] if isinstance(value, Integral) else list(value) if isinstance(value, Iterable) else [None]
    if isinstance(value, str) or not all(isinstance(seed, Integral) for seed in seeds):
        raise UsageError(f"expected whole numbers, e.g. range(10), got {value!r}", parameter="seeds")
    return frozenset(map(int, seeds))


class Compared:
    """A comparison that is displayed as the command's table, in a terminal and in a notebook."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def comparison(self) -> Comparison:
        """Return the records that the table shows."""
        return self._answer.comparison

    @cached_property
    def groups(self) -> pd.DataFrame:
        """Return a row per loss and condition: n, verdict, difference, mean, deviation and interval of each metric."""
        import pandas as pd

        from lossbench.report.comparison import records

        return pd.DataFrame(records.group_records(self.comparison))

    @cached_property
    def seeds(self) -> pd.DataFrame:
        """Return a row per loss, condition and seed, with the value of each metric."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"loss": group.label, **block.condition, "seed": seed}
                | {name: each.values.get(seed) for name, each in group.metrics.items()}  # noqa: PD011 - a mapping
                for block in self.comparison.blocks
                for group in block.groups
                for seed in group.seeds
            ]
        )

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Return a row per cell of the map and loss: mean, rank, regret and more; empty without a map."""
        import pandas as pd

        from lossbench.report.comparison import map_records

        return pd.DataFrame(map_records.entry_records(self._answer) if self.comparison.loss_map else [])

    def text(
        self,
        format: str = "table",  # noqa: A002 - the option's name
        *,
        caption: str | None = None,
        latex_label: str | None = None,
    ) -> str:
        r"""Return the comparison in a format of `lossbench compare --format`; a table is plain and has 80 columns.

        Args:
            format: The name of a format.
            caption: Caption of a LaTeX table; None for the title of the comparison.
            latex_label: Label of a LaTeX table, for `\ref`; None for none.

        Raises:
            UsageError: There is no such format, or it has no caption, label, pivot or map.

        Example:
            print(lossbench.compare("runs").text("latex"))
        """
        from lossbench.report import formats

        answer = replace(self._answer, caption=caption, latex_label=latex_label)
        return formats.comparison_text(answer, format, to_stdout=False)

    def __repr__(self) -> str:
        """Return the table in plain text of 80 columns."""
        return self.text().rstrip()

    def __rich__(self) -> Any:
        """Return the table for a console, in its colours and width."""
        from lossbench.report import formats

        return formats.comparison_content(self._answer, "table")

    def _repr_html_(self) -> str:
        """Return the table for a notebook; text from run folders is escaped."""
        from lossbench.analysis.names import with_names
        from lossbench.report.page import map_section, tables

        comparison = with_names(self._answer).comparison
        return map_section.notebook_html(comparison) if comparison.loss_map else tables.notebook_html(comparison)
