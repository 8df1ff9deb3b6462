"""Who learns: schools, classes, traits. Belongs here: what is true of a learner before the first day.

Every trait is drawn by the learner's index in the whole school, so a part of the roster equals that part of the whole.
Names, e-mails and birth dates are in `people.py`.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from aivo_assets.simulation.draws import Draws
from aivo_assets.simulation.parameters import Parameters
from aivo_assets.simulation.world.curriculum import GRADES, SUBJECTS, Curriculum

CLASS_SIZE = 25
CLASSES_PER_GRADE = 3
CLASSES_PER_SCHOOL = CLASSES_PER_GRADE * len(GRADES)
SCHOOL_SIZE = CLASSES_PER_SCHOOL * CLASS_SIZE
STUCK_PACE = 0.1  # of the usual pace, in a subject in which a learner is stuck


@dataclass(frozen=True)
class Roster:
    """Learners as arrays of length n; K subjects, S skills.

    Attributes:
        index: Int64, the learner's number in the whole school.
        class_index: Int64, the class's number.
        school_index: Int64, the school's number.
        grade: Int64, index into `GRADES`.
        joins: Int64, day of the school on which the learner enrols; 0 for most.
        ability: Float32 [n, S], true ability on the first day, logits.
        learning: Float32 [n, K], pace of learning in each subject, relative to the school's.
        stuck: Bool [n, K], whether the learner hardly learns in the subject until taught otherwise.
        half_life: Float64, days until half of a fresh gain is forgotten, for the first opportunity.
        slip: Float64, chance of failing what is known.
        speed: Float64, log speed of answering; higher = faster.
        attendance: Float64, chance of coming to a lesson.
        homework: Float64, chance of practising after school on a weekday.
        persistence: Float64, relative length of sessions.
        disengage: Float64, chance per step of dropping out of effort.
        fading: Float64, per day; attendance falls and disengagement rises with it. 0 for most.
        help_seeking: Float64, tendency to ask for a hint when the item is too hard.
        fatigue: Float64, logits lost per half hour beyond the stamina.
        stamina: Float64, minutes of practice before fatigue begins.
        habit: Float64, hour of the day at which homework begins.
        focus_reported: Bool, whether the learner's device measures focus.
    """

    index: npt.NDArray[np.int64]
    class_index: npt.NDArray[np.int64]
    school_index: npt.NDArray[np.int64]
    grade: npt.NDArray[np.int64]
    joins: npt.NDArray[np.int64]
    ability: npt.NDArray[np.float32]
    learning: npt.NDArray[np.float32]
    stuck: npt.NDArray[np.bool_]
    half_life: npt.NDArray[np.float64]
    slip: npt.NDArray[np.float64]
    speed: npt.NDArray[np.float64]
    attendance: npt.NDArray[np.float64]
    homework: npt.NDArray[np.float64]
    persistence: npt.NDArray[np.float64]
    disengage: npt.NDArray[np.float64]
    fading: npt.NDArray[np.float64]
    help_seeking: npt.NDArray[np.float64]
    fatigue: npt.NDArray[np.float64]
    stamina: npt.NDArray[np.float64]
    habit: npt.NDArray[np.float64]
    focus_reported: npt.NDArray[np.bool_]

    @property
    def size(self) -> int:
        """Number of learners."""
        return int(self.index.size)

    def of(self, rows: npt.NDArray[np.int64]) -> "Roster":
        """These learners only, who live as in the whole."""
        return Roster(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def build_roster(draws: Draws, learners: range, curriculum: Curriculum, parameters: Parameters) -> Roster:
    """Enrol learners.

    Args:
        draws: The school's random numbers.
        learners: Which of the whole school's learners.
        curriculum: What they will learn.
        parameters: Assumptions.
    """
    index = np.arange(learners.start, learners.stop, dtype=np.int64)
    class_index = index // CLASS_SIZE
    grade = class_index % CLASSES_PER_SCHOOL // CLASSES_PER_GRADE
    uniform = draws.uniforms("traits", index, 8)
    normal = draws.normals("dispositions", index, 9)
    general = _general_ability(draws, index, uniform[:, 0], parameters)
    late = uniform[:, 1] < 0.10
    stuck = draws.uniforms("stuck", index, len(SUBJECTS)) < parameters.stuck_share
    return Roster(
        index=index,
        class_index=class_index,
        school_index=class_index // CLASSES_PER_SCHOOL,
        grade=grade,
        joins=np.where(late, 1 + (60 * uniform[:, 2]).astype(np.int64), 0),
        ability=_first_abilities(draws, index, grade, general, curriculum, parameters),
        learning=_paces(stuck, normal[:, 0], parameters),
        stuck=stuck,
        half_life=parameters.half_life_days * np.exp(parameters.half_life_sd * normal[:, 1]),
        slip=np.minimum(parameters.slip_mean * np.exp(0.5 * normal[:, 2]), parameters.slip_limit),
        speed=parameters.speed_sd * (0.35 * general + 0.95 * normal[:, 3]),
        attendance=np.clip(0.86 + 0.10 * normal[:, 4], 0.3, 0.99),
        homework=np.clip(0.42 + 0.20 * normal[:, 4] + 0.10 * normal[:, 5], 0.02, 0.95),
        persistence=np.exp(0.3 * normal[:, 5]),
        disengage=np.minimum(parameters.disengage * np.exp(1.0 * normal[:, 6] - 0.5), 0.25),
        fading=np.where(uniform[:, 3] < 0.06, 0.01 + 0.03 * uniform[:, 4], 0.0),
        help_seeking=np.exp(0.6 * normal[:, 7]) * 0.35,
        fatigue=parameters.fatigue * np.exp(0.4 * normal[:, 8]),
        stamina=parameters.stamina_minutes * (0.5 + uniform[:, 5]),
        habit=np.where(uniform[:, 6] < 0.62, 15.4, 18.8) + 1.6 * (uniform[:, 7] - 0.5),
        focus_reported=draws.uniforms("devices", class_index, 1)[:, 0] < 0.6,
    )


def _general_ability(
    draws: Draws, index: npt.NDArray[np.int64], kind: npt.NDArray[np.float64], parameters: Parameters
) -> npt.NDArray[np.float64]:
    """Ability over all subjects: normal, with a group far below and one far above."""
    struggling = kind < parameters.struggling_share
    advanced = kind > 1.0 - parameters.advanced_share
    shift = parameters.archetype_shift * (advanced.astype(np.float64) - struggling.astype(np.float64))
    return parameters.ability_sd * draws.normals("ability", index, 1)[:, 0] + shift


def _first_abilities(
    draws: Draws,
    index: npt.NDArray[np.int64],
    grade: npt.NDArray[np.int64],
    general: npt.NDArray[np.float64],
    curriculum: Curriculum,
    parameters: Parameters,
) -> npt.NDArray[np.float32]:
    subject = parameters.subject_sd * draws.normals("subject ability", index, len(SUBJECTS))
    ability = subject[:, curriculum.skill_subject].astype(np.float32)
    ability += (general + parameters.headstart + parameters.grade_step * grade)[:, None].astype(np.float32)
    distance = grade[:, None] - curriculum.skill_grade[None, :]
    ability += (parameters.grade_mastery * distance).astype(np.float32)
    ability += (parameters.skill_sd * draws.normals("skill ability", index, len(curriculum.skill_ids))).astype(
        np.float32
    )
    return ability


def _paces(
    stuck: npt.NDArray[np.bool_], normal: npt.NDArray[np.float64], parameters: Parameters
) -> npt.NDArray[np.float32]:
    pace = np.exp(parameters.learning_rate_sd * normal)[:, None]
    paces: npt.NDArray[np.float32] = np.where(stuck, STUCK_PACE * pace, pace).astype(np.float32)
    return paces
