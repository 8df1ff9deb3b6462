"""Access to Optuna: studies of hyper-parameters and their results. Belongs here: storing and asking; no fitting.

Optuna keeps studies in a SQLite file of its own, which shares no database with Dagster's or MLflow's: each of the three
believes the table `alembic_version` to be its own. It takes half a second to import, so it is imported at first use.

A trial's value is a share of the log loss of a constant on the same rows (see `hyperparameters`). That is what makes
trials of different days comparable, so that a search may start from what earlier ones learnt.
"""

import hashlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from aivo_assets.errors import ModelError
from aivo_assets.tracing.databases import OPTUNA, in_schema, make_schema

AS_OF = "as_of"
PLACE = "place"  # of a study among all that were ever begun
COPIED = "copied from"  # a trial of an earlier study: that study's name
ORIGIN = "origin"  # of a trial that was not the search's own idea; such a one is never pruned

SETTINGS = "settings"
BEST_SO_FAR = "earlier search"
THIS_SEARCH = "this search"

Values = dict[str, float]


@dataclass(frozen=True)
class Dimension:
    """One parameter of a search space.

    Attributes:
        name: Field of `TrainingSettings`.
        low: Least value tried.
        high: Largest value tried.
        whole: Whether only whole numbers make sense. All are searched on a logarithmic scale.
    """

    name: str
    low: float
    high: float
    whole: bool = False

    def reaching(self, value: float) -> "Dimension":
        """The dimension, widened to hold a value that was set by hand; 0 has no place on its scale."""
        return Dimension(self.name, min(self.low, value) if value > 0 else self.low, max(self.high, value), self.whole)

    def holds(self, value: float) -> bool:
        """Whether a value lies within it."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Tried:
    """A trial that was finished.

    Attributes:
        values: Value of every dimension.
        score: Share of a constant's log loss; lower is better.
        origin: `settings`, `earlier search` or `this search`.
    """

    values: Values
    score: float
    origin: str


@dataclass(frozen=True)
class Studied:
    """What a study tried.

    Attributes:
        tried: Finished trials, in their order.
        pruned: Trials that were ended early.
        failed: Trials that could not be fitted.
        earlier: Trials of earlier studies that it started from.
    """

    tried: tuple[Tried, ...]
    pruned: int
    failed: int
    earlier: int


class Studies:
    """The studies below one folder.

    Args:
        home: AIVO_HOME; everything lies in its folder `optuna`.
        database: PostgreSQL database that takes its place.
    """

    def __init__(self, home: Path, database: str | None = None) -> None:
        self._database = database
        self._file = home.absolute() / "optuna" / "studies.db"

    def run(
        self,
        name: str,
        objective: Callable[[Values, Callable[[int, float], bool]], float],
        space: Sequence[Dimension],
        first: Values,
        *,
        as_of: date,
        trials: int,
        seconds: float,
        most_earlier: int,
    ) -> Studied:
        """Search a space, starting from the studies of earlier days and, where none tried them, from given values.

        The best of the newest earlier study is tried first and is never pruned. The same storage, name and number of
        trials give the same trials; a search that ends by its time may have any number of them. A study of this name
        that was left unfinished is begun again.

        Args:
            name: Of the study.
            objective: Score of values; is given a function that takes a step and an intermediate score and says whether
                to stop, in which case the objective must return at once (its result is then not used).
            space: Dimensions.
            first: Values that are tried unless an earlier study did.
            as_of: Last day that the study may know; only studies of this day or earlier ones are started from.
            trials: Most trials.
            seconds: No trial begins later than this.
            most_earlier: Most trials to start from.
        """
        optuna = _optuna()
        with self._storage(optuna) as storage:
            if name in _names(optuna, storage):
                optuna.delete_study(study_name=name, storage=storage)
            everything = [optuna.load_study(study_name=stored, storage=storage) for stored in _names(optuna, storage)]
            earlier = _newest_first(everything, as_of)
            study = optuna.create_study(
                study_name=name,
                storage=storage,
                sampler=optuna.samplers.TPESampler(seed=_seed(name)),
                pruner=optuna.pruners.MedianPruner(n_startup_trials=4),
            )
            study.set_user_attr(AS_OF, as_of.isoformat())
            study.set_user_attr(PLACE, 1 + max((each.user_attrs[PLACE] for each in everything), default=0))
            known = _copy(optuna, study, earlier, space, most_earlier)
            for values, origin in _beginning(earlier, known, space, first):
                study.enqueue_trial(values, user_attrs={ORIGIN: origin})
            study.optimize(
                lambda trial: _ask(optuna, trial, objective, space),
                n_trials=trials, timeout=seconds, catch=(ModelError,),
            )  # fmt: skip
            return _studied(study, earlier=len(known))

    def forget(self, keep: int) -> int:
        """Remove all but the newest studies, since a search reads every one that is kept; returns how many went."""
        if self._database is None and not self._file.exists():
            return 0
        optuna = _optuna()
        with self._storage(optuna) as storage:
            everything = [optuna.load_study(study_name=name, storage=storage) for name in _names(optuna, storage)]
            gone = _newest_first(everything, date.max)[keep:]
            for study in gone:
                optuna.delete_study(study_name=study.study_name, storage=storage)
        return len(gone)

    @contextmanager
    def _storage(self, optuna: Any) -> Iterator[Any]:
        if self._database is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            waiting = {"connect_args": {"timeout": 60}}
            storage = optuna.storages.RDBStorage(f"sqlite:///{self._file}", engine_kwargs=waiting)
        else:
            make_schema(self._database, OPTUNA)
            storage = optuna.storages.RDBStorage(in_schema(self._database, OPTUNA))
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()


def _optuna() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna  # noqa: PLC0415 - see the module's first lines

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna


def _names(optuna: Any, storage: Any) -> list[str]:
    names: list[str] = optuna.get_all_study_names(storage)
    return names


def _newest_first(studies: Sequence[Any], as_of: date) -> list[Any]:
    """Studies of this day or earlier ones; of a day, the one begun last comes first."""
    known = [study for study in studies if study.user_attrs[AS_OF] <= as_of.isoformat()]
    return sorted(known, key=lambda study: (study.user_attrs[AS_OF], study.user_attrs[PLACE]), reverse=True)


def _own(study: Any) -> list[Any]:
    """Finished trials that a study made itself, best first."""
    finished = [trial for trial in study.trials if trial.state.name == "COMPLETE" and COPIED not in trial.user_attrs]
    return sorted(finished, key=lambda trial: (trial.value, trial.number))


def _fits(values: Values, space: Sequence[Dimension]) -> bool:
    names = {dimension.name for dimension in space}
    return names == values.keys() and all(dimension.holds(values[dimension.name]) for dimension in space)


def _copy(optuna: Any, study: Any, earlier: Sequence[Any], space: Sequence[Dimension], most: int) -> list[Values]:
    """Copy trials of earlier studies that this space holds, newest studies first, and return their values."""
    usable = [(each.study_name, trial) for each in earlier for trial in _own(each) if _fits(trial.params, space)]
    distributions = {dimension.name: _distribution(optuna, dimension) for dimension in space}
    for name, trial in usable[:most]:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.params, distributions=distributions, value=trial.value,
                intermediate_values=trial.intermediate_values, user_attrs={COPIED: name},
            )
        )  # fmt: skip
    return [trial.params for _, trial in usable[:most]]


def _beginning(
    earlier: Sequence[Any], known: Sequence[Values], space: Sequence[Dimension], first: Values
) -> Iterator[tuple[Values, str]]:
    """What is tried first: the best of the newest earlier study that has one, then `first` where it is news."""
    best = next((own[0].params for study in earlier if (own := _own(study))), None)
    if best is not None and _fits(best, space):
        yield best, BEST_SO_FAR
    if first not in known and first != best:
        yield first, SETTINGS


def _ask(
    optuna: Any, trial: Any, objective: Callable[[Values, Callable[[int, float], bool]], float],
    space: Sequence[Dimension],
) -> float:  # fmt: skip
    given = ORIGIN in trial.user_attrs
    stopped = False

    def stop(step: int, score: float) -> bool:
        nonlocal stopped
        trial.report(score, step)
        stopped = not given and trial.should_prune()
        return stopped

    values = {dimension.name: _suggested(trial, dimension) for dimension in space}
    score = objective(values, stop)
    if stopped:
        raise optuna.TrialPruned
    return score


def _suggested(trial: Any, dimension: Dimension) -> float:
    suggest = trial.suggest_int if dimension.whole else trial.suggest_float
    return float(suggest(dimension.name, *_bounds(dimension), log=True))


def _distribution(optuna: Any, dimension: Dimension) -> Any:
    kinds = optuna.distributions
    kind = kinds.IntDistribution if dimension.whole else kinds.FloatDistribution
    return kind(*_bounds(dimension), log=True)


def _bounds(dimension: Dimension) -> tuple[float, float]:
    return (int(dimension.low), int(dimension.high)) if dimension.whole else (dimension.low, dimension.high)


def _studied(study: Any, *, earlier: int) -> Studied:
    states = [trial.state.name for trial in study.trials]
    tried = [
        Tried(
            values={name: float(value) for name, value in trial.params.items()},
            score=float(trial.value),
            origin=trial.user_attrs.get(ORIGIN, THIS_SEARCH),
        )
        for trial in sorted(_own(study), key=lambda trial: trial.number)
    ]
    return Studied(tuple(tried), pruned=states.count("PRUNED"), failed=states.count("FAIL"), earlier=earlier)


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
