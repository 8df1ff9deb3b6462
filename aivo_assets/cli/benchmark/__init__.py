"""The commands `aivo benchmark …`; what they measure stands in `aivo_assets.benchmarks`."""

from aivo_assets.cli.benchmark import checks, commands, idle, live, policy, scale, students, training, validity

PARTS = (commands, checks, idle, live, policy, scale, students, training, validity)
