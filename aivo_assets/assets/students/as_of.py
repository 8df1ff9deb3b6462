"""Which states an asset of a day reads. Belongs here: choosing them, and refusing those of another day; no folding."""

from datetime import date

from aivo_assets.assets.champion import serving_champion
from aivo_assets.assets.upstream import missing
from aivo_assets.errors import LakeError
from aivo_assets.lake import Lake
from aivo_assets.privacy.schema import ANONYMISED_INTERACTIONS
from aivo_assets.settings import Settings
from aivo_assets.tracing.judging.registry import Registry, Serving
from aivo_assets.tracing.students.state_store import StateStore, states_as_of
from aivo_assets.tracing.students.state_update import Folder


def states_of(lake: Lake, registry: Registry, settings: Settings, serving: Serving, day: date) -> StateStore:
    """The states as of a day under the champion that serves it: the present ones, or those of a past day.

    Args:
        lake: Where they are.
        registry: Who serves now.
        settings: Features of the champion.
        serving: The champion as of the day.
        day: As of which day.
    """
    now = serving_champion(registry, settings)
    return states_as_of(lake, day, present=now is None or now.version.number == serving.version.number)


def folder_of(serving: Serving, settings: Settings) -> Folder:
    """What folds for a champion."""
    return Folder(
        serving.brain.statistics, settings.features, str(serving.version.number), settings.students.events_at_once
    )


def folded_states(lake: Lake, registry: Registry, settings: Settings, serving: Serving, day: date) -> StateStore:
    """The states from which something is made as of a day; they know all of it up to the day, and nothing later.

    The present states may lack answers that landed since they were folded; the next fold brings them.

    Raises:
        LakeError: They were not folded as of this day, or by another champion.
    """
    store = states_of(lake, registry, settings, serving, day)
    by = folder_of(serving, settings)
    parts = lake.parts(ANONYMISED_INTERACTIONS, until=day)
    made = set[date]()
    for shard in range(lake.shards):
        folded, wanted = store.folded(shard), parts[shard]
        if folded is None and wanted:
            raise missing("learner_states", day, [])
        if folded is None:
            continue
        if folded.last_day is not None:
            made.add(folded.last_day)
        if store.is_past and folded.parts != wanted:
            raise missing("learner_states", day, sorted(made))
        if (folded.champion, folded.fold_version) != (by.champion, by.version):
            raise LakeError(
                f"The states as of {day} were folded by main brain {folded.champion} or with other settings of the"
                f" fold than the present ones; main brain {by.champion} serves",
                fix=f"Materialise learner_states of {day} first.",
            )
    return store
