"""The commands `aivo benchmark …`; what they measure stands in `aivo_assets.benchmarks`."""

from aivo_assets.cli.benchmark import (
    checks,
    commands,
    fairness,
    idle,
    live,
    policy,
    privacy,
    scale,
    students,
    training,
    validity,
)

PARTS = (commands, checks, fairness, idle, live, policy, privacy, scale, students, training, validity)
