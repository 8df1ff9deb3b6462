"""A seeded school with known truth: the platform's default source, and where policies and drift detectors are judged.

Belongs here: the school itself. The platform sees it through `sources/simulator.py`, which hands over no truth.
Read `parameters.py` for what is assumed, `dynamics.py` for what an answer does, `policies/` for who chooses the items.
"""

from aivo_assets.simulation.disturbances import Disturbance
from aivo_assets.simulation.parameters import PARAMETERS, Parameters
from aivo_assets.simulation.policies.policy import ItemRequest, Policy, TeacherPolicy
from aivo_assets.simulation.school import School, simulate, truth_of
from aivo_assets.simulation.simulation import Log, PolicyMaker, Simulation, teacher
from aivo_assets.simulation.state import Answers
from aivo_assets.simulation.world.world import World, build_world

__all__ = [
    "PARAMETERS",
    "Answers",
    "Disturbance",
    "ItemRequest",
    "Log",
    "Parameters",
    "Policy",
    "PolicyMaker",
    "School",
    "Simulation",
    "TeacherPolicy",
    "World",
    "build_world",
    "simulate",
    "teacher",
    "truth_of",
]
