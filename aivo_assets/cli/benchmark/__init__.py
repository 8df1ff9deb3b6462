"""The commands `aivo benchmark …`; what they measure stands in `aivo_assets.benchmarks`."""

from aivo_assets.cli.benchmark import checks, commands, idle, policy, privacy, students, training, validity

PARTS = (commands, checks, idle, policy, privacy, students, training, validity)
