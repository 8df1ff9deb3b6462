"""Why a run was started. Belongs here: what a cause is, and how a run's tags carry it.

The tags are read by people in the web UI, by the HTTP service and by `aivo why`. `aivo/cause` alone is a sentence; the
others let the chain be followed from a run to what made it necessary and on to what that led to.
"""

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

CAUSE_TAG: Final = "aivo/cause"  # a sentence for people
MODEL_TAG: Final = "aivo/model"
KIND_TAG: Final = "aivo/cause_kind"
BY_TAG: Final = "aivo/cause_by"  # which schedule, sensor, caller or user
EVIDENCE_TAG: Final = "aivo/cause_evidence"  # id of what was found: a day and version of a dataset, or a tick
RUN_TAG: Final = "aivo/cause_run"  # the run that made the evidence
IDEMPOTENCY_TAG: Final = "aivo/idempotency_key"

Kind = Literal["schedule", "drift", "need", "recommendations", "late_events", "api", "cli", "override"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
LONGEST: Final = 250  # characters of a tag's value

OPENING: Final[Mapping[str, str]] = {
    "schedule": "The schedule {by} was due.",
    "drift": "The sensor {by} saw a drift verdict that asks for it.",
    "need": "The sensor {by} saw that the two-hourly check found training needed.",
    "recommendations": "The sensor {by} saw recommendations that changed a level or a plan.",
    "late_events": "The sensor {by} found answers that arrived for past days.",
    "api": "Somebody asked over HTTP ({by}).",
    "cli": "The user {by} asked on the command line.",
    "override": "The user {by} overrode the guards.",
}


@dataclass(frozen=True)
class Cause:
    """Why a run was asked for.

    Attributes:
        kind: What kind of cause.
        by: Which schedule or sensor, which caller, which user.
        sentence: The reason for people, numbers included.
        evidence: Id of what was found: `2026-03-10@<version>` of a dataset, or the instant of a tick; empty for none.
        run: Id of the run that made the evidence; empty for none.
    """

    kind: Kind
    by: str
    sentence: str
    evidence: str = ""
    run: str = ""

    def tags(self) -> dict[str, str]:
        """Tags of the run."""
        tags = {CAUSE_TAG: self.sentence, KIND_TAG: self.kind, BY_TAG: self.by}
        tags |= {name: value for name, value in ((EVIDENCE_TAG, self.evidence), (RUN_TAG, self.run)) if value}
        return {name: value[:LONGEST] for name, value in tags.items()}

    @staticmethod
    def of(tags: Mapping[str, str]) -> "Cause | None":
        """The cause that a run's tags carry; None where nobody said why."""
        kind = tags.get(KIND_TAG)
        if kind not in KINDS:
            return None
        return Cause(
            kind=kind,  # type: ignore[arg-type]
            by=tags.get(BY_TAG, "unknown"),
            sentence=tags.get(CAUSE_TAG, ""),
            evidence=tags.get(EVIDENCE_TAG, ""),
            run=tags.get(RUN_TAG, ""),
        )

    def opening(self) -> str:
        """Who or what asked, in a sentence."""
        return OPENING[self.kind].format(by=self.by)


def by_hand(reason: str) -> Cause:
    """The cause of a run that a person asked for on the command line.

    Args:
        reason: The command and the person's reason; one that begins with `forced:` overrode the guards.
    """
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container may run under a number without a name
        user = "unknown"
    return Cause("override" if reason.startswith("forced:") else "cli", user, reason)
