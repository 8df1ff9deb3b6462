"""Every place that may hold something about a learner. Belongs here: the table; nothing is read or removed.

A new dataset or store gets its line here, with how a learner is found in it and how they are taken out of it. The test
of this table fails where a declared dataset, a mart or a folder of a real AIVO_HOME has none. A place that holds
nothing about a learner has a line as well, because it is searched like the others.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal

Where = Literal["lake", "home", "database"]
"""Below the lake's root, below AIVO_HOME, or in a database: that of Dagster."""

By = Literal["raw id", "name", "e-mail", "pseudonym", "event", "event pseudonym", "session", "session pseudonym"]
"""By what a learner is found there."""

Removal = Literal["rows", "remade", "fitted", "retrained", "masked", "kept"]
"""How they are taken out.

- rows: the rows that are theirs are taken out of the files, and nothing else of the files changes.
- remade: taken away whole and made again from what is left, because the rows of others hang on theirs.
- fitted: numbers about items, skills or models, in which nobody can be told apart; made again at the next training.
- retrained: the champion, which remembers until the next training has made another.
- masked: their identifiers are overwritten in place; the text around them stays.
- kept: holds no learner; it is searched, and what is found there fails the search.
"""

RAW: Final = ("raw id", "event", "session")
PSEUDONYMS: Final = ("pseudonym", "event pseudonym", "session pseudonym")
ANY: Final = ("raw id", "name", "e-mail", *PSEUDONYMS)


@dataclass(frozen=True)
class Place:
    """One place.

    Attributes:
        path: Below the root that `where` names; a pattern as of `fnmatch` where its end varies.
        where: Below which root.
        holds: What, in a few words.
        why: What it is kept for: the purpose, as the person it is about is told.
        by: By what a learner is found there.
        removal: How they are taken out.
        source: Where it comes from, as that person is told.
    """

    path: str
    where: Where
    holds: str
    why: str
    by: tuple[By, ...]
    removal: Removal
    source: str = "worked out by this platform"


_SCHOOL: Final = "the school"
_TEACHER: Final = "the learner's teachers"
_ADVICE: Final = "to advise the learner and their teachers"
_QUALITY: Final = "to see whether models stay good"
_TRAINING: Final = "to train the model that all learners share"
_RUNNING: Final = "to run the platform and to find out what went wrong"

PLACES: Final = (
    # The raw zone: as the school gave it.
    Place("raw/interactions", "lake", "answers", "the record that all else is made from", RAW, "rows", _SCHOOL),
    Place(
        "raw/learners", "lake", "name, e-mail, birth date, attributes", "to compare groups fairly",
        ("raw id", "name", "e-mail"), "rows", _SCHOOL,
    ),
    Place(
        "raw/quarantine", "lake", "values that could not be used", "so that the school can correct them",
        ("raw id", "name", "e-mail", "event"), "rows", _SCHOOL,
    ),
    Place("raw/held_back", "lake", "answers that wait to be kept", "to keep them later", RAW, "rows", _SCHOOL),
    Place("raw/overrides", "lake", "what teachers said", _ADVICE, ("raw id", "name"), "rows", _TEACHER),
    Place("raw/overrides_removed", "lake", "what teachers took back", _ADVICE, ("raw id",), "rows", _TEACHER),
    Place("raw/receipts", "lake", "counts of rows", "the account of every row", ("raw id", "event"), "masked", _SCHOOL),
    Place(
        "raw/roster", "lake", "who is in which class, and whose parents are whose", "so that teachers see names",
        ("raw id", "name", "e-mail"), "rows", _SCHOOL,
    ),
    Place("raw/content", "lake", "titles of skills and exercises", _ADVICE, (), "kept", _SCHOOL),
    Place("raw/cursors", "lake", "how far a source is read", "to read on", (), "kept"),
    Place("raw/erasure/tombstones", "lake", "keyed hashes of the forgotten", "not to take them in again", (), "kept"),
    Place("raw/erasure", "lake", "requests to forget, with keyed hashes", "proof that they were met", (), "kept"),
    # Past the raw zone: pseudonyms.
    Place("anonymised/interactions", "lake", "answers", "what models learn from", PSEUDONYMS, "rows", _SCHOOL),
    Place("anonymised/learners", "lake", "attributes, k-anonymous", "fairness", ("pseudonym",), "remade", _SCHOOL),
    Place("anonymised/overrides", "lake", "what teachers said, coded", _ADVICE, ("pseudonym",), "rows", _TEACHER),
    Place("marts/fct_learner_skill_daily", "lake", "answers a skill and day", "reports", ("pseudonym",), "rows"),
    Place("marts/mart_class_progress", "lake", "sums of classes", "reports of classes", (), "fitted"),
    Place("marts/dim_items", "lake", "sums of items", "reports of items", (), "fitted"),
    Place("marts/dim_skills", "lake", "sums of skills", "reports of skills", (), "fitted"),
    Place("features/training", "lake", "a row an answer", _TRAINING, ("pseudonym", "event pseudonym"), "remade"),
    Place("features/item_statistics", "lake", "how hard items are", _TRAINING, (), "remade"),
    Place("features/skill_statistics", "lake", "how hard skills are", _TRAINING, (), "remade"),
    Place("features/skill_sets", "lake", "which skills occur together", _TRAINING, (), "remade"),
    Place("features/totals", "lake", "means over all answers", _TRAINING, (), "remade"),
    Place("main_brain/candidates", "lake", "numbers of versions", _TRAINING, (), "kept"),
    Place("main_brain/hyperparameters", "lake", "settings that were found", _TRAINING, (), "kept"),
    Place("main_brain/shadow", "lake", "losses of champions", _QUALITY, (), "fitted"),
    Place("main_brain/verdicts", "lake", "why versions were promoted", _QUALITY, (), "fitted"),
    Place("main_brain/cards", "lake", "model cards", "to explain a model", ("pseudonym",), "masked"),
    Place("states", "lake", "what a fold remembers", _ADVICE, ("pseudonym",), "rows"),
    Place("past_states", "lake", "the same of a past day", _ADVICE, ("pseudonym",), "rows"),
    Place("student_models/learners", "lake", "ability", _ADVICE, ("pseudonym",), "rows"),
    Place("student_models/skills", "lake", "mastery of skills", _ADVICE, ("pseudonym",), "rows"),
    Place("student_models/intervals", "lake", "widths of bands", _QUALITY, (), "fitted"),
    Place("item_bank/items", "lake", "items", _ADVICE, (), "fitted"),
    Place("item_bank/levels", "lake", "levels", _ADVICE, (), "fitted"),
    Place("signals", "lake", "what a decision weighs", _ADVICE, ("pseudonym",), "rows"),
    Place("recommendations", "lake", "recommendations", _ADVICE, ("pseudonym",), "rows"),
    Place("outcomes", "lake", "what came of recommendations", "to learn what helps", ("pseudonym",), "rows"),
    Place("interventions/told", "lake", "whom a digest was about", "not to tell twice", ("pseudonym",), "rows"),
    Place(
        "pages/learner_words", "lake", "what learners said of their advice", "so that teachers hear it",
        ("pseudonym",), "rows", "the learner",
    ),
    Place("policy_evaluation", "lake", "what a policy is worth", _QUALITY, (), "fitted"),
    Place("drift/scored_events", "lake", "predictions of answers", _QUALITY, ("pseudonym",), "rows"),
    Place("drift/past_scored_events", "lake", "the same of a past day", _QUALITY, ("pseudonym",), "rows"),
    Place("drift/reference", "lake", "predictions a champion was promoted on", _QUALITY, ("pseudonym",), "rows"),
    Place("drift/scores", "lake", "losses of models and groups", _QUALITY, (), "fitted"),
    Place("drift/verdicts", "lake", "verdicts on models", _QUALITY, (), "fitted"),
    Place("drift/training_need", "lake", "whether to train", _QUALITY, (), "fitted"),
    Place("drift/reports", "lake", "reports, samples in plots", _QUALITY, ("pseudonym",), "masked"),
    # Left-overs of any dataset: files that no manifest names (any more).
    Place("*.parquet", "lake", "files kept for readers, and left by writers that ended", _RUNNING, ANY, "rows"),
    Place("*.json", "lake", "manifests, marks, calendars", _RUNNING, ANY, "masked"),
    # AIVO_HOME beside the lake.
    Place("mlflow", "home", "versions of the main brain", _TRAINING, ("pseudonym",), "retrained"),
    Place("warehouse", "home", "views over the lake, dbt's logs", "reports", ("pseudonym",), "masked"),
    Place("optuna", "home", "searches for hyper-parameters", _TRAINING, (), "kept"),
    Place("dagster", "home", "runs, logs of steps, and caches", _RUNNING, ANY, "masked"),
    Place("alerts", "home", "alerts and what was not delivered", "to tell teachers and operators", ANY, "masked"),
    Place("interventions", "home", "digests for teachers", "to tell teachers", ANY, "masked"),
    Place("logs", "home", "what was printed", _RUNNING, ANY, "masked"),
    Place("reports", "home", "reports that were asked for", _QUALITY, ANY, "masked"),
    Place("benchmarks", "home", "results of benchmarks", _QUALITY, ANY, "masked"),
    Place("replays", "home", "replays of past days, each a home of its own", _QUALITY, ANY, "kept"),
    Place("people", "home", "roster, names for pages, sign-ins", "so that teachers see names", ANY, "masked"),
    Place("audit", "home", "who looked at what", "to show who looked", ANY, "masked"),
    Place("content", "home", "exercises", _ADVICE, (), "kept"),
    Place("live", "home", "answers of the present hour", _ADVICE, ANY, "masked"),
    Place("secrets", "home", "keys", "to make pseudonyms", (), "kept"),
    Place("postgres", "home", "the embedded database, see below", _RUNNING, ANY, "masked"),
    Place("simulator.json", "home", "first day of the simulated school", _RUNNING, (), "kept"),
    Place("clock.json", "home", "where a fast clock began", _RUNNING, (), "kept"),
    Place("*", "home", "whatever else lies there", _RUNNING, ANY, "masked"),
    # The database of Dagster, wherever it is.
    Place("event_logs", "database", "what steps said, metadata of assets", _RUNNING, ANY, "masked"),
    Place("asset_keys", "database", "newest metadata of assets", _RUNNING, ANY, "masked"),
    Place("asset_event_tags", "database", "data versions", _RUNNING, ANY, "masked"),
    Place("runs", "database", "runs and their configuration", _RUNNING, ANY, "masked"),
    Place("run_tags", "database", "why runs were", _RUNNING, ANY, "masked"),
    Place("job_ticks", "database", "what sensors and schedules said", _RUNNING, ANY, "masked"),
    Place("aivo_inbox", "database", "answers sent by apps", "so that no answer is lost", RAW, "rows", _SCHOOL),
    Place("*", "database", "any other table", _RUNNING, ANY, "masked"),
)  # fmt: skip
"""The table. The first line that fits a path counts, so that patterns stand last."""


def place_of(where: Where, path: str) -> Place | None:
    """The line of a path: the longest that names it or a folder above it, otherwise the first pattern that fits."""
    named = [each for each in PLACES if each.where == where and "*" not in each.path and _is_at(path, each.path)]
    if named:
        return max(named, key=lambda each: len(each.path))
    return next((each for each in PLACES if each.where == where and fnmatchcase(path, each.path)), None)


def _is_at(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
