"""What the simulated school assumes, each number with its source. Belongs here: assumptions; no behaviour.

Logits throughout, unless a unit is named. "Ours" marks a number for which no study gives a figure that transfers;
vary those first when a result may depend on the simulator (`dataclasses.replace(PARAMETERS, …)`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parameters:
    """Assumptions of the school.

    Attributes:
        ability_sd: Spread of ability between learners; N(0, 1) is the convention of item response theory.
        subject_sd: Spread of a learner's subjects around the learner's ability. Ours: subjects correlate about 0.7.
        skill_sd: Spread of a learner's skills around the learner's ability in the subject. Ours.
        headstart: Ability at the own grade's skills above their difficulty, such that first answers succeed about
            65 % of the time, the median over 27 data sets of Koedinger et al. (PNAS 2023).
        grade_step: Difficulty of a grade's skills above the grade before. Ours.
        grade_mastery: Further ability a grade below the own, lack a grade above. Ours.
        struggling_share: Learners far below the class. Response-to-intervention literature plans for 5 to 15 %.
        advanced_share: Learners far above the class. Ours.
        archetype_shift: How far the two lie from the others. Ours.
        stuck_share: Learner × subject pairs that hardly learn until taught otherwise ("wheel spinning": Beck and
            Gong 2013 find 10 to 35 % of pairs).
        item_sd: Spread of item difficulty around its skill; 2PL and 3PL banks show 0.8 to 1.2.
        discrimination_sd: Log spread of discrimination around 1 (BILOG-MG's prior: log-normal, sd 0.5), narrower.
        guess_open: Chance of a right answer by guessing where it must be typed. Baker et al. (2008): 0.01 to 0.05.
        guess_spread: Relative spread of the guess around 1/options; BILOG-MG's prior Beta(5, 17) has 0.39.
        slip_mean: Mean slip; Corbett and Anderson (1995) bound it by 0.10.
        slip_limit: That bound.
        learning_rate: Gain per opportunity at the best difficulty, first opportunity. Koedinger et al. (2023) find a
            median of 0.1 logits per opportunity; the best case lies above the median.
        learning_rate_sd: Log spread between learners: they find it astonishingly small.
        skill_rate_sd: Log spread between skills, which is larger (Cen, Koedinger and Junker 2006).
        practice_exponent: Power law of practice (Newell and Rosenbloom 1981): the n-th gain falls as n to this power.
        practice_scale: Opportunities after which the law bites. Ours.
        best_success: Probability of success at which practice teaches most. Wilson et al. (2019): 0.85; the zone the
            recommendations aim at is 0.70 to 0.85.
        zone_width: Logits away from it at which the gain is 61 %. Ours.
        failure_gain: Gain of a failed attempt relative to a success (performance factors: Pavlik, Cen, Koedinger 2009).
        prerequisite_floor: Share of the gain left when prerequisites are wholly missing. Ours.
        ceiling: Logits above a skill's difficulty at which a gain is halved: what is mastered cannot grow. Ours.
        retained: Share of a gain that is never forgotten (permastore: Bahrick 1984 finds 25 to 40 %).
        half_life_days: First half-life of the rest; Settles and Meeder (2016) bound half-lives by 15 min and 9 months.
        half_life_sd: Log spread of it between learners. Ours.
        half_life_growth: Half-life grows as (1 + opportunities) to this power. Ours, after the same model's form.
        fatigue: Logits lost per half hour of practice beyond a learner's stamina; position effects of long tests are
            0.2 to 0.5 logits (Debeer and Janssen 2013).
        stamina_minutes: Median minutes before it begins. Ours.
        speed_sd: Spread of log speed (van der Linden 2006: 0.2 to 0.4).
        intensity_sd: Spread of log time intensity of items (van der Linden 2006: 0.3 to 0.5).
        time_sd: Residual sd of log response time (van der Linden 2006: discrimination of time about 2).
        time_distance: Fall of log response time per logit between ability and difficulty, either way
            (distance-difficulty hypothesis: Ferrando and Lorenzo-Seva 2007).
        disengage: Mean chance that an engaged learner drops out of effort at a step. Ours; together with the two below
            it gives a few per cent of rapid guesses (Wise and Kong 2005 and later: 1 to 10 %).
        reengage: Chance that effort returns at a step. Ours.
        rapid_share: Share of steps without effort that are rapid guesses.
        rapid_seconds: Median of a rapid guess; Wise and Kong (2005) use thresholds of 3 to 10 s.
        rapid_sd: Residual sd of its logarithm.
        hint_offer: Share of items that offer hints. Ours.
        retry: Chance of an immediate second try after a wrong answer. Ours, near the repeats of assistments2017.
        retry_gain: Logits gained from the feedback in between. Ours.
        pause_seconds: Median pause between an answer and the next item. Ours.
    """

    ability_sd: float = 0.85
    subject_sd: float = 0.5
    skill_sd: float = 0.45
    headstart: float = 0.6
    grade_step: float = 0.5
    grade_mastery: float = 0.3
    struggling_share: float = 0.08
    advanced_share: float = 0.08
    archetype_shift: float = 1.4
    stuck_share: float = 0.10
    item_sd: float = 1.0
    discrimination_sd: float = 0.25
    guess_open: float = 0.02
    guess_spread: float = 0.25
    slip_mean: float = 0.04
    slip_limit: float = 0.10
    learning_rate: float = 0.16
    learning_rate_sd: float = 0.2
    skill_rate_sd: float = 0.35
    practice_exponent: float = 0.4
    practice_scale: float = 10.0
    best_success: float = 0.80
    zone_width: float = 0.9
    failure_gain: float = 0.7
    prerequisite_floor: float = 0.3
    ceiling: float = 2.0
    retained: float = 0.35
    half_life_days: float = 4.0
    half_life_sd: float = 0.35
    half_life_growth: float = 0.4
    fatigue: float = 0.35
    stamina_minutes: float = 25.0
    speed_sd: float = 0.28
    intensity_sd: float = 0.35
    time_sd: float = 0.5
    time_distance: float = 0.08
    disengage: float = 0.012
    reengage: float = 0.22
    rapid_share: float = 0.8
    rapid_seconds: float = 2.0
    rapid_sd: float = 0.35
    hint_offer: float = 0.6
    retry: float = 0.30
    retry_gain: float = 0.5
    pause_seconds: float = 6.0


PARAMETERS = Parameters()
