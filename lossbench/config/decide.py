"""The `sweep.decide` section: seeds are added until each loss is decided, by a plan that is fixed before."""

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from lossbench import sizes
from lossbench.config.section import Increasing, Section
from lossbench.errors import Problem, UsageError
from lossbench.losses.labels import label_of
from lossbench.metrics import COSTS, DEFAULTS, find

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FEWEST_SEEDS, DEFAULT_SEEDS, MOST_SEEDS = 6, 30, 200
LOOKS = (6, 8, 10, 12, 15, 20, 25, 30, *range(40, MOST_SEEDS + 1, 10))
"""Numbers of seeds at which a decision looks by default, up to its largest one."""

Spending: TypeAlias = Literal["obrien_fleming", "pocock", "linear"]


def _as_text(value: object) -> object:
    """Return a number as text, as it is written; anything else as it is."""
    return (
        f"{float(value)!r}".removesuffix(".0")
        if isinstance(value, int | float) and not isinstance(value, bool)
        else value
    )


class Decide(Section):
    """Train seed by seed until each loss is decided; `{}` takes the defaults."""

    metric: str = DEFAULTS[0]
    """Metric that decides, e.g. accuracy, nll or recall.5."""
    baseline: str | None = None
    """Baseline loss; null: categorical_crossentropy."""
    max_seeds: Annotated[int, Field(ge=FEWEST_SEEDS, le=MOST_SEEDS)] | None = None
    """Most seeds per loss; null: the number of sweep.seeds, else the last look, else 30."""
    looks: Increasing | None = None
    """Numbers of seeds at which to decide; null: 6, 8, 10, 12, 15, 20, 25, 30. The last is always max_seeds."""
    alpha: Annotated[float, Field(gt=0, le=0.5)] = 0.05
    """Probability of any false verdict, over all losses, conditions and looks."""
    spending: Spending = "obrien_fleming"
    """How alpha is divided among the looks: obrien_fleming (little at first), pocock or linear."""
    rope: Annotated[str, BeforeValidator(_as_text)] | None = None
    """Largest difference that is equivalent, e.g. 0.1pp; null: no loss is called equivalent."""


def planned_looks(decide: Decide, seeds: "Sequence[int] | None") -> tuple[int, ...]:
    """Return the numbers of seeds at the looks of a plan; the last is the largest number that is trained.

    Args:
        decide: The section.
        seeds: `sweep.seeds`.
    """
    most = decide.max_seeds or (len(seeds) if seeds else (decide.looks or (DEFAULT_SEEDS,))[-1])
    return (*(look for look in decide.looks or LOOKS if look < most), most)


def margin(decide: Decide) -> float | None:
    """Return the rope in the metric's own unit; None if there is none.

    Raises:
        UsageError: It lacks the unit that the metric needs, or is not above 0.
    """
    if decide.rope is None:
        return None
    size = sizes.parse_rope(decide.rope, find(decide.metric))
    if not size:
        raise UsageError(f"expected a size above 0, e.g. 0.1pp, got {decide.rope!r}", parameter="rope")
    return size


def baseline_label(decide: Decide) -> str | None:
    """Return the label of the baseline; None for the default.

    Example:
        >>> baseline_label(Decide(baseline="gce tuned"))
        'generalized_crossentropy tuned'
    """
    if decide.baseline is None:
        return None
    name, tuned, rest = decide.baseline.partition(" tuned")
    return f"{label_of(name)}{tuned}{rest}"


def contradictions(decide: Decide, seeds: "Sequence[int] | None") -> "Iterator[Problem]":
    """Yield every contradiction between keys of the section, and with `sweep.seeds`."""
    here = ("sweep", "decide")
    yield from _contradictory_numbers(decide, seeds)
    try:
        metric = find(decide.metric)
    except UsageError as error:
        yield Problem((*here, "metric"), str(error))
        return
    if metric.name in COSTS:
        yield Problem((*here, "metric"), f"{metric.name} depends on what else the machine does; choose a test metric")
    try:
        margin(decide)
    except UsageError as error:
        yield Problem((*here, "rope"), str(error).removeprefix("rope: ").replace("first in `metrics`", "as metric"))


def _contradictory_numbers(decide: Decide, seeds: "Sequence[int] | None") -> "Iterator[Problem]":
    here = ("sweep", "decide")
    if seeds is not None and decide.max_seeds not in {None, len(seeds)}:
        reason = f"expected the number of sweep.seeds, {len(seeds)}, got {decide.max_seeds}; remove one of the two"
        yield Problem((*here, "max_seeds"), reason)
    elif not FEWEST_SEEDS <= (most := planned_looks(decide, seeds)[-1]) <= MOST_SEEDS:
        reason = (
            f"expected {FEWEST_SEEDS} to {MOST_SEEDS} seeds for a decision, got {most}; change sweep.seeds or looks"
        )
        yield Problem(here, reason)
    looks, largest = decide.looks, decide.max_seeds or (len(seeds) if seeds else None)
    if looks and looks[0] < FEWEST_SEEDS:
        reason = f"expected looks from {FEWEST_SEEDS} seeds on, as fewer decide nothing, got {looks[0]}"
        yield Problem((*here, "looks", 0), reason)
    if looks and largest and looks[-1] > largest:
        reason = f"expected looks up to {largest}, the largest number of seeds, got {looks[-1]}"
        yield Problem((*here, "looks", len(looks) - 1), reason)
