"""The commands `aivo benchmark …`; what they measure stands in `aivo_assets.benchmarks`."""

from aivo_assets.cli.benchmark import checks, commands, forget, idle, policy, students, training, validity

PARTS = (commands, checks, forget, idle, policy, students, training, validity)
