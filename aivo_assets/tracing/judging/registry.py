"""Every version of the main brain, and which is champion. Belongs here: what happens to versions; no judging.

MLflow keeps versions, metrics, parameters, tags and the aliases `challenger` and `champion`, in a SQLite file below
AIVO_HOME with the artefacts beside it. Every move of the champion is a tag of the registered model, so that the way
back is known even where a version was deleted.
"""

import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

from aivo_assets.errors import ModelError
from aivo_assets.tracing.fold.schema import FeatureSchema
from aivo_assets.tracing.judging.admission import refuse_promotion
from aivo_assets.tracing.judging.champions import Move, MoveKind, line_of_champions
from aivo_assets.tracing.judging.evaluation import Evaluation
from aivo_assets.tracing.judging.promotion import Verdict
from aivo_assets.tracing.judging.registry_reading import Contents, Version
from aivo_assets.tracing.judging.registry_store import RegistryStore
from aivo_assets.tracing.model.artefact import load, save, verified
from aivo_assets.tracing.model.main_brain import MainBrain

CHALLENGER = "challenger"
CHAMPION = "champion"
EVALUATION = "evaluation.json"
MODEL = "model"

_Opened = TypeVar("_Opened")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Serving:
    """The model that serves.

    Attributes:
        brain: The model.
        version: Its version.
        problems: Why a later champion does not serve; empty when all is well.
    """

    brain: MainBrain
    version: Version
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ServingVersion:
    """Which version serves, as far as its files tell.

    Attributes:
        version: The version; None where none can serve, or there never was a champion.
        problems: Why a later champion does not serve; empty when all is well.
    """

    version: Version | None
    problems: tuple[str, ...]


class Registry:
    """The versions of the main brain below one folder.

    Args:
        home: AIVO_HOME; everything lies in its folder `mlflow`.
        database: PostgreSQL database that keeps everything but the files of models. Default: a SQLite file.
    """

    def __init__(self, home: Path, database: str | None = None) -> None:
        self._store = RegistryStore(home / "mlflow", database)

    @property
    def tracking_uri(self) -> str:
        """URI of the MLflow store, for `mlflow ui --backend-store-uri`."""
        return self._store.uri

    def register(
        self,
        brain: MainBrain,
        evaluation: Evaluation,
        *,
        as_of: date,
        now: datetime,
        pictures: Mapping[str, bytes] | None = None,
    ) -> Version:
        """Keep a model as a version and make it the challenger.

        A model of a fingerprint that is kept already, and whose files are sound, makes no second version. A model of an
        earlier day than the challenger's is kept without becoming challenger.

        Args:
            brain: The model.
            evaluation: Of this model.
            as_of: The last day whose events the model may know.
            now: The time, UTC.
            pictures: PNG files to keep beside it, by file name.

        Raises:
            ModelError: The evaluation is of another model.
        """
        if evaluation.model != brain.fingerprint:
            raise ModelError(
                f"The evaluation is of model {evaluation.model}, the model is {brain.fingerprint}",
                fix="Register a model with its own evaluation.",
            )
        with self._store.locked():
            version = self.kept(brain.fingerprint) or self._keep(brain, evaluation, as_of, now, pictures or {})
            present = self._store.contents().by_alias(CHALLENGER)
            if present is None or present.as_of <= version.as_of:
                self._store.point(CHALLENGER, version.number)
            return self._store.version(version.number)

    def promote(self, number: int, verdict: Verdict, *, asked_by: str, now: datetime, force: str | None = None) -> Move:
        """Make a version the champion, on the evidence of a verdict about it and the present champion.

        The champion is the one that serves with the features of the version. Asked twice, it moves once.

        Args:
            number: The version.
            verdict: The decision and its numbers; kept with the version.
            asked_by: Who or what asked: a run, a person.
            now: The time, UTC.
            force: Why it is promoted against its verdict, in an emergency; recorded as such.

        Raises:
            ModelError: The verdict is about other models, was given before the champion last changed, or says no; or
                the version is older than the champion, or its files are not sound. Force helps only against a verdict
                that says no.
        """
        with self._store.locked():
            version, moves = self._store.version(number), self.moves()
            serving = self.champion(self._load(version).schema)
            if serving is not None and serving.version.number == number and moves and moves[-1].after == number:
                return moves[-1]
            present = None if serving is None else serving.version
            refuse_promotion(version, verdict, present, moves[-1] if moves else None, forced=force is not None)
            evidence = f"verdicts/{verdict.decided_at:%Y%m%dT%H%M%S}.json"
            self._store.attach(version, evidence, verdict.model_dump_json().encode())
            kind: MoveKind = "promotion" if verdict.promote else "forced"
            reason = verdict.reason if verdict.promote else f"Forced: {force} ({verdict.reason})"
            return self._move(kind, version, asked_by=asked_by, reason=reason, now=now)

    def rollback(self, *, asked_by: str, reason: str, now: datetime, champion: int | None = None) -> Move:
        """Make the last sound champion before the present one champion again; again and again walks further back.

        Args:
            asked_by: Who or what asked: a run, a person.
            reason: Why, one sentence.
            now: The time, UTC.
            champion: The champion that is meant, where the reason is about it; another one is left alone.

        Raises:
            ModelError: There is no champion, or none before it that can be loaded, or it is not the one that is meant.
        """
        with self._store.locked():
            line, _ = _line(self._store.contents())
            if champion is not None and line[:1] != [champion]:
                raise ModelError(
                    f"Version {champion} was to be rolled back from, the champion is {line[0] if line else 'nobody'}",
                    fix="Nothing has to be done; somebody moved the champion meanwhile.",
                )
            contents = self._store.contents()
            for number in line[1:]:
                version = contents.find(number)
                if version is not None and self._is_sound(version):
                    return self._move("rollback", version, asked_by=asked_by, reason=reason, now=now)
        raise ModelError(
            "There is no earlier champion to roll back to" if line else "There is no champion to roll back from",
            fix="Train a new main brain (aivo train main-brain).",
        )

    def champion(self, features: FeatureSchema | None = None, *, as_of: date | None = None) -> Serving | None:
        """The model that serves: the champion or, where its files or features do not fit, the last good one before it.

        Args:
            features: What the present code folds; a model of other features does not serve.
            as_of: Only champions that know no answer after this day.

        Returns:
            The model, with `problems` (also logged as warnings) naming every champion passed over; None where there
            never was a champion, or none can serve.
        """
        version, brain, problems = _first_that_serves(
            self._store.contents(), lambda version: self._load(version, features), as_of
        )
        for problem in problems:
            _log.warning("%s; %s", problem, f"version {version.number} serves" if version else "no model serves")
        return Serving(brain, version, problems) if version is not None and brain is not None else None

    def problems(self, features: FeatureSchema) -> tuple[str, ...]:
        """Why champions cannot serve with these features, the latest first; empty where the champion does."""
        return _first_that_serves(self._store.contents(), lambda version: self._load(version, features))[2]

    def standing(self, features: FeatureSchema | None = None) -> ServingVersion:
        """Which version serves and what is wrong with later champions, by files and tags alone: no model is loaded.

        Args:
            features: What the present settings and code fold; a model of other features does not serve.
        """

        def sound(version: Version) -> dict[str, bytes]:
            if features is not None and version.tags.get("feature_schema", features.hash) != features.hash:
                raise ModelError(
                    "it reads other features than the present settings (AIVO_FEATURES_…) and code give",
                    fix="Set them back, or train a main brain: aivo train main-brain.",
                )
            return self._verified(version)

        version, _, problems = _first_that_serves(self._store.contents(), sound)
        return ServingVersion(version, problems)

    def challenger(self) -> Serving | None:
        """The version to be judged next, or None.

        Raises:
            ModelError: Its files are not sound.
        """
        version = self._store.contents().by_alias(CHALLENGER)
        return None if version is None else Serving(self._load(version), version, ())

    def load(self, number: int) -> MainBrain:
        """The model of a version.

        Raises:
            ModelError: There is no such version, or its files are not sound.
        """
        return self._load(self._store.version(number))

    def kept(self, fingerprint: str) -> Version | None:
        """The sound version of a fingerprint, or None."""
        same = (version for version in self.versions() if version.fingerprint == fingerprint)
        return next((version for version in same if self._is_sound(version)), None)

    def version(self, number: int) -> Version:
        """A version by its number.

        Raises:
            ModelError: There is no such version.
        """
        return self._store.version(number)

    def versions(self) -> list[Version]:
        """All versions, newest first."""
        return list(self._store.contents().versions)

    def evaluation(self, number: int) -> Evaluation:
        """What was measured of a version when it was registered.

        Raises:
            ModelError: There is no such version, or its evaluation cannot be read.
        """
        path = self._store.folder(self._store.version(number)) / EVALUATION
        try:
            return Evaluation.model_validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The evaluation {path} of version {number} cannot be read: {error}", fix="Train the model again."
            ) from error

    def attach(self, number: int, documents: Mapping[str, bytes]) -> None:
        """Keep documents with a version's files, by file name; one of the same name is replaced.

        Raises:
            ModelError: There is no such version.
        """
        version = self._store.version(number)
        for name, content in documents.items():
            self._store.attach(version, name, content)

    def document(self, number: int, name: str) -> Path | None:
        """Where a document of a version lies, or None where it has none of this name."""
        path = self._store.folder(self._store.version(number)) / name
        return path if path.is_file() else None

    def forget(self, keep: int) -> int:
        """Take away all but the newest versions, the challenger, the champion and the last champions before it.

        Args:
            keep: So many newest versions stay, and so many of the line of champions.

        Returns:
            Versions that went.
        """
        with self._store.locked():
            contents = self._store.contents()
            line, _ = _line(contents)
            stay = {version.number for version in contents.versions[:keep]} | set(line[:keep])
            gone = [each for each in contents.versions if each.number not in stay and not each.aliases]
            for version in gone:
                self._store.remove(version)
            return len(gone)

    def moves(self) -> list[Move]:
        """Every change of champion, oldest first."""
        return _moves(self._store.contents())

    def _keep(
        self, brain: MainBrain, evaluation: Evaluation, as_of: date, now: datetime, pictures: Mapping[str, bytes]
    ) -> Version:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "version"
            digest = save(brain, folder / MODEL)
            (folder / EVALUATION).write_text(evaluation.model_dump_json(indent=1))
            for name, content in pictures.items():
                (folder / name).write_bytes(content)
            return self._store.create(
                folder,
                now=now,
                metrics=evaluation.metrics(),
                parameters={name: json.dumps(value) for name, value in brain.parameters.items()},
                tags={
                    "fingerprint": brain.fingerprint,
                    "as_of": as_of.isoformat(),
                    "digest": digest,
                    "feature_schema": brain.schema.hash,
                    "statistics": brain.statistics.version,
                    "code_version": brain.made_by.code_version,
                    "data_versions": json.dumps(brain.made_by.data_versions, sort_keys=True),
                    "unseen_from": brain.summary.unseen_from.isoformat(),
                },
                description=_description(brain, evaluation, as_of),
            )

    def _is_sound(self, version: Version) -> bool:
        try:
            self._verified(version)
        except ModelError:
            return False
        return True

    def _verified(self, version: Version) -> dict[str, bytes]:
        return verified(self._store.folder(version) / MODEL, digest=version.tags["digest"])

    def _load(self, version: Version, features: FeatureSchema | None = None) -> MainBrain:
        brain = load(self._store.folder(version) / MODEL, digest=version.tags["digest"])
        if features is not None:
            brain.refuse_other_features(features)
        return brain

    def _move(self, kind: MoveKind, version: Version, *, asked_by: str, reason: str, now: datetime) -> Move:
        present = self._store.contents().by_alias(CHAMPION)
        before = None if present is None else present.number
        move = Move(kind=kind, at=now, by=asked_by, reason=reason, before=before, after=version.number)
        self._store.note(move.model_dump_json())
        self._store.tag(
            version.number,
            {
                "champion_since": now.isoformat(),
                "champion_by": f"{kind}, asked by {asked_by}",
                "champion_reason": reason,
                "champion_before": "none" if before is None else str(before),
            },
        )
        self._store.point(CHAMPION, version.number)
        return move


def _moves(contents: Contents) -> list[Move]:
    return [Move.model_validate_json(note) for note in contents.notes]


def _line(contents: Contents) -> tuple[list[int], Version | None]:
    """The line of champions, latest first, and the version that the alias points to."""
    pointed = contents.by_alias(CHAMPION)
    return line_of_champions(_moves(contents), None if pointed is None else pointed.number), pointed


def _first_that_serves(
    contents: Contents, opened: Callable[[Version], _Opened], as_of: date | None = None
) -> tuple[Version | None, _Opened | None, tuple[str, ...]]:
    """The latest champion that can be opened, what opening gave, and what is wrong with each later one."""
    line, pointed = _line(contents)
    problems = []
    if line and pointed is None:
        problems.append(f"The alias {CHAMPION} points to no trained version; version {line[0]} was champion last")
    for number in line:
        version = contents.find(number)
        if version is None:
            problems.append(f"Champion {number} is gone from the registry")
            continue
        if as_of is not None and version.as_of > as_of:
            continue
        try:
            return version, opened(version), tuple(problems)
        except ModelError as error:
            problems.append(f"Champion {number} cannot serve: {error.what}")
    return None, None, tuple(problems)


def _description(brain: MainBrain, evaluation: Evaluation, as_of: date) -> str:
    """What a person reads beside a version in the MLflow UI, Markdown."""
    named = {"main brain": evaluation.scores} | {
        name.replace("_", " "): scores for name, scores in evaluation.baselines.items()
    }
    rows = [
        f"| {name} | {'' if scores.auc is None else f'{scores.auc:.4f}'} | {scores.log_loss:.4f} | {scores.brier:.4f} "
        f"| {scores.ece:.4f} |"
        for name, scores in named.items()
    ]
    return "\n".join(
        [
            f"As of {as_of}: fitted on {brain.summary.fit_events:,} events of {brain.summary.learners:,} learners, "
            f"evaluated on {evaluation.scores.events:,} later events of {evaluation.learners:,} learners.",
            "",
            "| | AUC | log loss | Brier | ECE |",
            "|---|---|---|---|---|",
            *rows,
        ]
    )
