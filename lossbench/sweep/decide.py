"""Seeds are added until every comparison is decided: which trial to train next, and the looks.

A look is made when the first n seeds of every open comparison have ended. While its last trials run, free workers
train seeds of open comparisons ahead, up to the next look only. The plan is written to `decision.json` before the
first trial, and the scores and verdicts of a look before the first trial that only a later look needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lossbench.config.dump import scalar
from lossbench.errors import UsageError, first_few
from lossbench.runs import decision_file, lock, paths
from lossbench.runs.decision import with_scores
from lossbench.runs.scores import read_score
from lossbench.sweep.comparisons import planned_decision
from lossbench.sweep.journal import event
from lossbench.sweep.status import FINISHED
from lossbench.sweep.verdicts import condition
from lossbench.training import run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from lossbench.runs.decision import Look, Score, SweepDecision
    from lossbench.sweep.plan import Plan
    from lossbench.sweep.status import SweepStatus


THIS_LOOK, NEXT_LOOK, LAST_LOOK = 0, 1, None
"""Number of looks after the open one whose trials may be trained; None: all."""


def decider(swept: Plan, status: SweepStatus, folder: Path, *, retry_failed: bool) -> Decider | None:
    """Return what chooses the trials of a sweep that adds seeds until it is decided; None for any other sweep.

    Args:
        swept: The plan of the sweep.
        status: The trials with all seeds; those that are not needed are set to `dropped`.
        folder: The sweep's folder.
        retry_failed: Whether to train trials that an earlier call left failed.

    Raises:
        ConfigError: The baseline is missing in a condition, or is the only loss; or a loss is not alike to it.
        UsageError: The folder's decision was started with another plan, or by a newer version.
        MachineError: The folder's decision is damaged.
    """
    if not swept.decide:
        return None
    planned = planned_decision(swept.decide, swept.seeds, status.trials)
    return Decider(resume(folder, planned), status, folder, retry_failed=retry_failed)


def resume(folder: Path, planned: SweepDecision) -> SweepDecision:
    """Return the decision that a sweep's folder records; `planned` if it records none.

    Raises:
        UsageError: It was started with another plan, by a newer version, or by an earlier one that decided otherwise.
        MachineError: The file is damaged.
    """
    recorded = decision_file.load(folder)
    if recorded is None:
        return planned
    path = folder / paths.DECISION
    if changes := list(_changes(recorded, planned)):
        raise UsageError(
            f"{path}: the decision was started with another plan: {'; '.join(changes)}; continue with that plan, or "
            f"start another decision under another name, e.g. name={folder.name}-2"
        )
    if recorded.is_by_another_test and recorded.pending:
        raise UsageError(
            f"{path}: the decision was started by an earlier lossbench, whose test with a rope is wrong more often "
            "than alpha; compare shows its verdicts; to decide from the same runs, move the file elsewhere and repeat "
            "the command"
        )
    return recorded


def _changes(recorded: SweepDecision, planned: SweepDecision) -> Iterator[str]:
    """Yield what differs between two plans, the recorded value first."""
    before, now = (
        {"metric": each.metric, "baseline": each.baseline, "seeds": _seeds(each.seeds), **vars(each.plan)}
        for each in (recorded, planned)
    )
    for key, value in before.items():
        if value != now[key]:
            yield f"{key} {_text(value)}, now {_text(now[key])}"
    old, new = (
        {(each.loss, condition(each.condition)): each for each in decision.comparisons}
        for decision in (recorded, planned)
    )
    settings = {name for name in old.keys() & new.keys() if old[name].identity != new[name].identity}
    references = {name for name in old.keys() & new.keys() if old[name].baseline != new[name].baseline}
    for text, names in {
        "now without": old.keys() - new.keys(),
        "now with": new.keys() - old.keys(),
        "other settings, data or plugin file of": settings,
        "other settings, data or plugin file of the baseline of": references - settings,
    }.items():
        if names:
            losses = sorted({scalar(loss) for loss, _ in names})
            yield f"{text} {first_few(losses)}"
    if list(old) != list(new) and old.keys() == new.keys():
        yield "the cases in another order"


def _seeds(seeds: Sequence[int]) -> str:
    is_range = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"{seeds[0]}-{seeds[-1]}" if is_range else ",".join(map(str, seeds))


def _text(value: object) -> str:
    return "none" if value is None else ",".join(map(str, value)) if isinstance(value, tuple) else scalar(value)


class Decider:
    """Chooses the trials of a sweep and makes its looks."""

    def __init__(self, decision: SweepDecision, status: SweepStatus, folder: Path, *, retry_failed: bool) -> None:
        """Take up a decision where it is.

        Args:
            decision: The decision, as `resume` returns it.
            status: The trials with all seeds; those that are not needed are set to `dropped`.
            folder: The sweep's folder.
            retry_failed: Whether to train trials that an earlier call left failed.
        """
        self.status, self._folder = status, folder
        self._numbers = {
            (each.trial.identity, each.trial.experiment.seed): number for number, each in enumerate(status.trials)
        }
        self._waiting = dict.fromkeys(status.unfinished(retry_failed=retry_failed))
        self._running: set[int] = set()
        self._set(decision)

    def begin(self) -> None:
        """Write the plan before the first trial, unless another sweep has done so.

        Raises:
            UsageError: Another sweep has started another decision meanwhile.
            MachineError: The file is damaged or cannot be written.
        """
        with lock.claim(self._folder / paths.DECISION, wait=True):
            recorded = resume(self._folder, self.decision)
            if not (self._folder / paths.DECISION).exists():
                decision_file.save(self._folder, recorded)
            self._set(recorded)

    @property
    def decision(self) -> SweepDecision:
        """The decision so far."""
        assert self.status.decision is not None  # noqa: S101 - set when this was created
        return self.status.decision

    def next_trial(self, send: Callable[[Mapping[str, Any]], None], *, ahead: bool) -> int | None:
        """Make the looks whose trials have ended, and return the number of the next trial; None: none for now.

        Args:
            send: Called with an event for each look.
            ahead: Whether a worker is idle, so that a trial of the next look may start before this look is made.
        """
        while (look := self.decision.pending) and self._has_ended(look):
            self._make(look, send)
        for number in self._in_order(until=NEXT_LOOK if ahead else THIS_LOOK):
            if number in self._waiting:
                del self._waiting[number]
                self._running.add(number)
                if self.status.statuses[number] == "failed":
                    self.status.set_status(number, "new")
                return number
        return None

    def _set(self, decision: SweepDecision) -> None:
        """Take a decision and drop the trials that it does not need."""
        self.status.decision = decision
        needed = set(self._in_order(until=LAST_LOOK))
        for number, status in enumerate(self.status.statuses):
            if status not in FINISHED and number not in needed | self._running:
                self.status.set_status(number, "dropped")
                self._waiting.pop(number, None)

    def _in_order(self, *, until: int | None) -> Iterator[int]:
        """Yield the trials of all looks so far, then those of a number of later looks for comparisons that are open."""
        decision, looks = self.decision, self.decision.plan.looks
        for look in decision.looks:
            yield from self._trials(look, decision.new_seeds(look))
        if pending := decision.pending:
            later = [each for each in looks if each > pending.seeds][:until]
            yield from self._trials(pending, decision.seeds[pending.seeds : max([*later, pending.seeds])])

    def _trials(self, look: Look, seeds: Sequence[int]) -> Iterator[int]:
        """Yield the trials of a look's comparisons, seed by seed."""
        return (self._numbers[identity, seed] for seed in seeds for identity in self.decision.identities(look))

    def _has_ended(self, look: Look) -> bool:
        trials = self._trials(look, self.decision.new_seeds(look))
        self._running -= {number for number in self._running if self.status.statuses[number] in FINISHED}
        return not any(number in self._waiting or number in self._running for number in trials)

    def _make(self, look: Look, send: Callable[[Mapping[str, Any]], None]) -> None:
        """Make a look, or take over the one that another sweep has made."""
        seeds = self.decision.new_seeds(look)
        scores = {each: [self._score(each, seed) for seed in seeds] for each in self.decision.identities(look)}
        with lock.claim(self._folder / paths.DECISION, wait=True):
            recorded = resume(self._folder, self.decision)
            if len(recorded.made) <= len(self.decision.made):
                recorded = with_scores(self.decision, scores)
                decision_file.save(self._folder, recorded)
        self._set(recorded)
        made = recorded.made[len([each for each in recorded.made if each.seeds < look.seeds])]
        send(event("look", **_facts(recorded, made, dropped=self.status.counts["dropped"])))

    def _score(self, identity: str, seed: int) -> Score:
        trial = self.status.trials[self._numbers[identity, seed]].trial
        return read_score(run_folder(trial, self._folder.parent), self.decision.metric)


def _facts(decision: SweepDecision, look: Look, *, dropped: int) -> dict[str, Any]:
    """Return what the event of a look records."""
    verdicts = [
        {
            "loss": decision.comparisons[index].loss,
            "condition": decision.comparisons[index].condition,
            "verdict": verdict,
        }
        for index, verdict in (look.verdicts or {}).items()
    ]
    return {
        "seeds": look.seeds,
        "verdicts": verdicts,
        "undecided": len(look.open) - len(verdicts),
        "comparisons": len(decision.comparisons),
        "dropped": dropped,
    }
