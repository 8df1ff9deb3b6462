"""The commands `aivo benchmark …`; what they measure stands in `aivo_assets.benchmarks`."""

from aivo_assets.cli.benchmark import checks, commands, idle, policy, scale, students, training, validity

PARTS = (commands, checks, idle, policy, scale, students, training, validity)
