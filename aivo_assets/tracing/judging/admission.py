"""When a verdict allows a promotion. Belongs here: refusals; nothing is moved or judged."""

from aivo_assets.errors import ModelError
from aivo_assets.tracing.judging.champions import Move
from aivo_assets.tracing.judging.promotion import Verdict
from aivo_assets.tracing.judging.registry_reading import Version


def refuse_promotion(
    version: Version, verdict: Verdict, champion: Version | None, last: Move | None, *, forced: bool
) -> None:
    """Refuse to promote a version on a verdict that does not carry it.

    Args:
        version: Which is to become champion.
        verdict: The decision about it.
        champion: The version that serves, if any does.
        last: The last move of the champion, if there was one.
        forced: Whether a verdict that says no is overruled; nothing else can be.

    Raises:
        ModelError: The verdict is about other models, was given before the champion last changed, or says no; or the
            version is of an earlier day than the champion.
    """
    if verdict.challenger.fingerprint != version.fingerprint:
        raise ModelError(
            f"The verdict is about model {verdict.challenger.fingerprint}, version {version.number} is "
            f"{version.fingerprint}",
            fix="Promote the version that the verdict is about, or evaluate this one.",
        )
    judged = None if verdict.champion is None else verdict.champion.fingerprint
    present = None if champion is None else champion.fingerprint
    if last is not None and verdict.decided_at < last.at:
        raise ModelError(
            f"The verdict is of {verdict.decided_at}, the champion changed after it, at {last.at}",
            fix="Evaluate the challenger again.",
        )
    if judged != present:
        raise ModelError(
            f"The verdict compares with champion {judged}, the champion is {present} by now",
            fix="Evaluate the challenger against the present champion.",
        )
    if champion is not None and version.as_of < champion.as_of:
        raise ModelError(
            f"Version {version.number} is as of {version.as_of}, the champion as of {champion.as_of}",
            fix="Train on later days; to go back to an earlier champion use `aivo registry rollback`.",
        )
    if not (verdict.promote or forced):
        raise ModelError(
            f"The verdict on version {version.number} is: {verdict.reason}",
            fix="Leave the champion, or in an emergency promote by force with a reason.",
        )
