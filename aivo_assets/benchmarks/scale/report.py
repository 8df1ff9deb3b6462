"""The record of what the work costs by size and engine. Belongs here: its form, ratios and arithmetic; no measuring."""

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

TARGET_SECONDS, TARGET_GIB, TARGET_FLAT = 600.0, 4.0, 1.5
TARGET_ANSWERS = 1_000_000
DAY_SECONDS, CHECKS_A_DAY, BILLION = 86_400, 12, 1_000_000_000
CHECK = ("check: states", "check: models", "check: signals", "check: recommendations")
MODELS_OF_ALL, TRAINING = "models of everybody", "training by sample"
FROZEN = ConfigDict(frozen=True, extra="forbid")


class StageCost(BaseModel):
    """One stage with one engine.

    Attributes:
        stage: Which.
        engine: Which.
        workers: Processes that may work at once.
        rows: What it made or folded: answers for states and training, learners for models, else rows.
        version: Hash of the content that it left in the lake; the same on every engine.
        seconds: From beginning to end.
        cpu_seconds: Of driver and workers.
        peak_bytes: Most memory of any one process.
    """

    model_config = FROZEN

    stage: str
    engine: str
    workers: int
    rows: int
    version: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int


class SizeCost(BaseModel):
    """One lake.

    Attributes:
        learners: With a past.
        answers: Of the past.
        new_answers: Before the check.
        new_learners: Who gave them.
        shards: Of the lake.
        bytes: Of the answers on disk.
        made_seconds: Making lake and champion.
        start_seconds: By engine, until its workers run.
        skipped: By engine that was not measured, why.
        stages: In their order, engine by engine.
    """

    model_config = FROZEN

    learners: int
    answers: int
    new_answers: int
    new_learners: int
    shards: int
    bytes: int
    made_seconds: float
    start_seconds: dict[str, float]
    skipped: dict[str, str]
    stages: tuple[StageCost, ...]

    def of(self, engine: str) -> dict[str, StageCost]:
        """The stages with one engine, by name."""
        return {each.stage: each for each in self.stages if each.engine == engine}

    @property
    def engines(self) -> list[str]:
        """Those that were measured, in order."""
        return list(dict.fromkeys(each.engine for each in self.stages))

    def check_seconds(self, engine: str) -> float:
        """A two-hourly check, from the states to the recommendations."""
        return sum(self.of(engine)[stage].seconds for stage in CHECK)

    def check_gib(self, engine: str) -> float:
        """Most memory of any one process during a check."""
        return max(self.of(engine)[stage].peak_bytes for stage in CHECK) / 2**30


class ScaleReport(BaseModel):
    """What was measured, and of what.

    Attributes:
        asked: Sizes, seed, versions and machine.
        sizes: Smallest first.
    """

    model_config = FROZEN

    asked: dict[str, str]
    sizes: tuple[SizeCost, ...]

    def text(self) -> str:
        """The record as plain text."""
        lines = [f"{name}: {value}" for name, value in self.asked.items()]
        for size in self.sizes:
            lines += ["", *_table(size), "", *_targets(size), *_billion(size)]
        return "\n".join([*lines, "", *_flat(self.sizes)])


def _table(size: SizeCost) -> Iterator[str]:
    yield (
        f"{size.learners:,} learners, {size.answers:,} answers ({size.bytes / 2**30:.2f} GiB) in {size.shards} shards; "
        f"then {size.new_answers:,} new answers of {size.new_learners:,} learners; made in {size.made_seconds:.0f} s"
    )
    yield (
        f"{'stage':<24}{'engine':<13}{'rows':>13}{'seconds':>9}{'core s':>8}{'rows/s':>11}{'GiB':>7}"
        f"{'speed-up':>10}{'efficiency':>12}"
    )
    first = size.of(size.engines[0])
    for stage in first:
        for engine in size.engines:
            cost = size.of(engine).get(stage)
            if cost is None:
                continue
            speed_up = first[stage].seconds / cost.seconds
            yield (
                f"{stage:<24}{engine:<13}{cost.rows:>13,}{cost.seconds:>9.1f}{cost.cpu_seconds:>8.1f}"
                f"{cost.rows / cost.seconds:>11,.0f}{cost.peak_bytes / 2**30:>7.2f}{speed_up:>10.2f}"
                f"{speed_up / cost.workers:>12.0%}"
            )
    for engine, seconds in size.start_seconds.items():
        yield f"{engine}: workers were running after {seconds:.1f} s, which no stage counts"
    for engine, reason in size.skipped.items():
        yield f"{engine}: not measured, {reason}"


def _targets(size: SizeCost) -> Iterator[str]:
    for engine in size.engines:
        seconds, gib = size.check_seconds(engine), size.check_gib(engine)
        yield (
            f"a two-hourly check, {engine}: {seconds:.1f} s and {gib:.2f} GiB a process "
            f"(target {TARGET_SECONDS:.0f} s and {TARGET_GIB:g} GiB for {TARGET_ANSWERS:,} answers): "
            f"{_verdict(size, seconds, gib)}"
        )


def _verdict(size: SizeCost, seconds: float, gib: float) -> str:
    """Whether the target is met; a check of fewer answers that keeps it says nothing."""
    if seconds > TARGET_SECONDS or gib > TARGET_GIB:
        return "missed"
    if size.new_answers < TARGET_ANSWERS:
        return f"not known, as this check had {size.new_answers:,}"
    return "met"


def core_seconds_of_a_billion(size: SizeCost) -> dict[str, float]:
    """Core seconds of a day of a billion answers, by part, from what the first engine took of this lake's check.

    Learners give as many answers a day as those of the lake's check did. States cost by the answer; models by the
    learner and day that has any; signals and recommendations by the row, once a check, for everybody active.
    """
    cost = size.of(size.engines[0])
    share = BILLION / size.new_answers  # so many times the answers and the learners of this check
    active = BILLION / (size.new_answers / size.new_learners) / size.learners
    parts = {"states": share * cost[CHECK[0]].cpu_seconds, "models": share * cost[CHECK[1]].cpu_seconds}
    for name, stage in (("signals", CHECK[2]), ("recommendations", CHECK[3])):
        parts[name] = CHECKS_A_DAY * active * cost[stage].cpu_seconds
    return parts


def _billion(size: SizeCost) -> Iterator[str]:
    parts = core_seconds_of_a_billion(size)
    learners = BILLION / (size.new_answers / size.new_learners)
    told = ", ".join(f"{name} {seconds / DAY_SECONDS:.1f}" for name, seconds in parts.items())
    yield (
        f"a billion answers a day of {learners:,.0f} learners, all of them active, {CHECKS_A_DAY} checks: "
        f"{sum(parts.values()) / DAY_SECONDS:.0f} cores busy all day ({told}); "
        f"{BILLION * size.bytes / size.answers / 2**30:,.0f} GiB of answers a day"
    )


def _flat(sizes: tuple[SizeCost, ...]) -> Iterator[str]:
    """How the cost of the same new answers grows with the lake; signals and recommendations follow who is active."""
    if len(sizes) < 2:
        yield "whether cost is flat: one size was measured, so it is not known"
        return
    small, large = sizes[0], sizes[-1]
    for engine in (each for each in small.engines if each in large.engines):
        costs = [
            sum(size.of(engine)[stage].cpu_seconds for stage in CHECK[:2]) / size.new_answers for size in (small, large)
        ]
        ratio = costs[1] / costs[0]
        yield (
            f"states and models of the same new answers, {engine}: {ratio:.2f} times the core seconds an answer with "
            f"{large.learners:,} learners as with {small.learners:,} (target {TARGET_FLAT:g}): "
            f"{'met' if ratio <= TARGET_FLAT else 'missed'}"
        )
