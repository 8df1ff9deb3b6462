"""The policy: which recommendation, as a table of rules. Belongs here: kinds and rules; thresholds come from settings.

The aim is the success zone: a learner should succeed at 70 to 85 % of what is given. The probabilities are the main
brain's, with their uncertainty; a level moves only when the learner's own last answers say the same, when there is
enough evidence (10 attempts at the level, or 5 where the whole band is past the threshold), and not soon after a move.
Where one level lower is still too hard, the way goes at least two levels back, to the basics (remediation). A move up
goes to where success is nearest to the middle of the zone, a move down only to its lower edge, because learners
picked for failures do better next (regression to the mean); three levels at most.
The dead band from `too_hard` to the zone's upper edge is wider than a level: a move does not call for its opposite.
Before a skill's first move there is none to take back; then the zone's lower edge decides, and few answers are enough
(`first_attempts`) where they say the same as all that the main brain knows of the learner from other skills. Where
nothing easier exists, another approach is all that there is.

An eighth kind is a name in `kinds.py`, a `Kind` and a `Rule` here, and its texts in the catalogue; a test says which
texts are missing.
"""

from typing import Final

from aivo_assets import kinds
from aivo_assets.adaptive.policy.rules import Criterion, Kind, Policy, Rule
from aivo_assets.settings import PolicySettings

LEVEL_UP: Final = Kind(kinds.LEVEL_UP, shift=1)
LEVEL_DOWN: Final = Kind(kinds.LEVEL_DOWN, shift=-1)
MAINTAIN: Final = Kind(kinds.MAINTAIN)
REMEDIATION: Final = Kind(kinds.REMEDIATION, shift=-2, plan="remediation")
ENRICHMENT: Final = Kind(kinds.ENRICHMENT, plan="enrichment")
BREAK: Final = Kind(kinds.BREAK, plan=None)
CHANGE_APPROACH: Final = Kind(kinds.CHANGE_APPROACH, plan="change_approach")

KINDS: Final = (LEVEL_UP, LEVEL_DOWN, MAINTAIN, REMEDIATION, ENRICHMENT, BREAK, CHANGE_APPROACH)
PLANS: Final = tuple(dict.fromkeys(kind.plan for kind in KINDS if kind.plan is not None))
"""What a learner can be on."""

_NOW: Final = ("latest", "session_current")  # a break concerns what the learner is at now, not every skill
_FIRST: Final = ("never_moved",)


def success_zone_policy(settings: PolicySettings) -> Policy:
    """The policy in use."""
    rules = (
        *_breaks(settings),
        _settling(settings),
        *_too_hard(settings),
        *_stuck(settings),
        *_too_easy(settings),
        *_as_it_is(settings),
    )
    return Policy(
        "success_zone",
        rules,
        passing=frozenset({BREAK.name}),
        aim=sum(settings.success_zone) / 2,
        aim_down=settings.success_zone[0],
        reach=settings.most_levels,
        stands_for=settings.followed_events,
    )


def _breaks(s: PolicySettings) -> tuple[Rule, ...]:
    zone = s.success_zone[0]
    return (
        Rule(
            "break_low_focus",
            BREAK,
            tests=(Criterion("focus", "<", s.low_focus),),
            shown=(Criterion("working_minutes", ">", s.long_session_minutes),),
            urgent=(Criterion("focus", "<", s.low_focus / 2),),
            priority="high",
            at_least=zone,
            gates=_NOW,
        ),
        Rule(
            "break_long_session",
            BREAK,
            tests=(Criterion("working_minutes", ">", s.long_session_minutes),),
            shown=(Criterion("session_fall", ">=", s.tired_fall),),
            urgent=(Criterion("working_minutes", ">", 2 * s.long_session_minutes),),
            priority="high",
            at_least=zone,
            gates=_NOW,
        ),
        Rule(
            "break_tired",
            BREAK,
            tests=(
                Criterion("session_fall", ">=", s.tired_fall),
                Criterion("session_fall_z", ">=", s.tired_fall_z),
                Criterion("working_minutes", ">=", s.tired_session_minutes),
            ),
            priority="high",
            at_least=zone,
            gates=_NOW,
        ),
    )


def _settling(s: PolicySettings) -> Rule:
    return Rule(
        "maintain_settling",
        MAINTAIN,
        tests=(Criterion("days_since_move", "<", s.cool_down_days),),
        shown=(Criterion("attempts_at_level", ">=", s.minimum_attempts),),
        priority="low",
        at_least=s.success_zone[0],
    )


def _too_hard(s: PolicySettings) -> tuple[Rule, ...]:
    zone = s.success_zone[0]
    failing, failing_badly = Criterion("recent_accuracy", "<", zone), Criterion("recent_accuracy", "<", s.too_hard)
    evidence = Criterion("attempts_at_level", ">=", s.minimum_attempts)
    early = Criterion("attempts_at_level", ">=", s.early_attempts)
    hard, surely_hard = Criterion("p_level", "<", s.too_hard), Criterion("p_level_upper", "<", s.too_hard)
    below, few = Criterion("p_level", "<", zone), Criterion("attempts", ">=", s.first_attempts)
    below_is_hard, easier = Criterion("p_below", "<", s.too_hard), Criterion("items_below", ">=", 1)
    urgent = (Criterion("p_level_upper", "<", s.urgent_success),)
    basics = (below_is_hard, failing_badly)
    # Where the answers are of many levels few of them are at the learner's own; so few right ones tell all the same.
    clearly = (
        Criterion("recent_accuracy", "<=", s.failing),
        Criterion("attempts_since_move", ">=", s.minimum_attempts),
    )
    none_easier = Criterion("items_below", "<", 1)
    wins, wins_little = Criterion("gain_easier", ">=", s.least_gain), Criterion("gain_easier", "<", s.least_gain)
    return (
        Rule("remediation", REMEDIATION, (hard, *basics, evidence), "high", zone, urgent=urgent),
        Rule("remediation_early", REMEDIATION, (surely_hard, *basics, early), "high", zone, urgent=urgent),
        Rule("remediation_failing", REMEDIATION, (hard, below_is_hard, *clearly), "high", zone, urgent=urgent),
        Rule("level_down", LEVEL_DOWN, (hard, failing, evidence, easier, wins), "medium", zone),
        Rule("level_down_early", LEVEL_DOWN, (surely_hard, failing, early, easier, wins), "medium", zone),
        Rule("level_down_failing", LEVEL_DOWN, (hard, *clearly, easier, wins), "medium", zone),
        Rule("level_down_first", LEVEL_DOWN, (below, failing, few, easier, wins), "medium", zone, gates=_FIRST),
        Rule(
            "change_approach_first",
            CHANGE_APPROACH,
            (below, failing, few, none_easier),
            "medium",
            zone,
            gates=_FIRST,
        ),
        Rule(
            "change_approach_no_gain", CHANGE_APPROACH, (hard, failing, evidence, easier, wins_little), "medium", zone
        ),
        Rule("change_approach_no_easier", CHANGE_APPROACH, (hard, failing, evidence), "medium", zone),
    )


def _stuck(s: PolicySettings) -> tuple[Rule, ...]:
    low, high = s.success_zone
    evidence = Criterion("attempts_at_level", ">=", s.minimum_attempts)
    return (
        Rule(
            "change_approach_plateau",
            CHANGE_APPROACH,
            tests=(
                Criterion("practice_days_at_level", ">=", s.plateau_practice_days),
                Criterion("growth_at_level", "<", s.growth),
                Criterion("p_level", "<", low),
                Criterion("recent_accuracy", "<", low),
                evidence,
            ),
            priority="medium",
            at_least=low,
        ),
        Rule(
            "change_approach_hints",
            CHANGE_APPROACH,
            tests=(Criterion("hint_rate", ">", s.hint_share), Criterion("p_level", "<", high), evidence),
            priority="medium",
            at_least=low,
        ),
    )


def _too_easy(s: PolicySettings) -> tuple[Rule, ...]:
    low, high = s.success_zone
    evidence = Criterion("attempts_at_level", ">=", s.minimum_attempts)
    early = Criterion("attempts_at_level", ">=", s.early_attempts)
    easy, surely_easy = Criterion("p_level", ">=", high), Criterion("p_level_lower", ">=", high)
    confirmed = Criterion("recent_accuracy", ">=", s.recent_confirms)
    ready, harder = Criterion("p_above", ">=", low), Criterion("items_above", ">=", 1)
    promising = (easy, confirmed, early)  # easy by all that is known, and too little is known to move: find out
    return (
        Rule("level_up", LEVEL_UP, (easy, ready, confirmed, evidence, harder), "medium", low),
        Rule("level_up_early", LEVEL_UP, (surely_easy, ready, confirmed, early, harder), "medium", low),
        Rule("enrichment_ceiling", ENRICHMENT, (easy, confirmed, evidence), "medium", low),
        Rule("enrichment_promising", ENRICHMENT, promising, "low", low),
        Rule(
            "enrichment_growing",
            ENRICHMENT,
            tests=(Criterion("ability_trend", ">", s.growth), Criterion("p_level", ">=", low), confirmed, evidence),
            priority="low",
            at_least=low,
        ),
    )


def _as_it_is(s: PolicySettings) -> tuple[Rule, ...]:
    low, high = s.success_zone
    in_zone = (Criterion("p_level", ">=", low), Criterion("p_level", "<", high))
    few = (Criterion("attempts_at_level", "<", s.minimum_attempts),)
    recent = (Criterion("recent_accuracy", ">=", low),)
    confirmed = (Criterion("recent_accuracy", ">=", s.recent_confirms),)
    return (
        Rule("maintain_too_few", MAINTAIN, few, "low", low, shown=in_zone),
        Rule("maintain_in_zone", MAINTAIN, in_zone, "low", low, shown=recent),
        Rule("maintain_unproven", MAINTAIN, (Criterion("p_level", ">=", high),), "low", low, shown=confirmed),
        Rule("maintain_doubtful", MAINTAIN, (Criterion("p_level", "<", s.too_hard),), "low", low, shown=recent),
        Rule("maintain_stretch", MAINTAIN, (Criterion("p_level", "<", low),), "low", low, shown=recent),
        Rule("maintain_unknown", MAINTAIN, (), "low", low, shown=recent),
    )
