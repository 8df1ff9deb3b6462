"""The expected effect of a recommendation. Belongs here: confidence, impact, time to effect; no words."""

import numpy as np
import polars as pl
from scipy.special import betaln, gammaln

from aivo_assets.adaptive.signals.standing import expit, logit
from aivo_assets.settings import PolicySettings

_PRIOR_ANSWERS = 2.0  # weight of the success zone's middle where no model answers and only the last answers speak
_LEAST_EFFICIENCY = 0.25


def add_outlook(decided: pl.DataFrame, settings: PolicySettings) -> pl.DataFrame:
    """Add what is expected of each decision.

    Args:
        decided: What `Policy.decide` returns.
        settings: Length of an expectation, learning rate, windows.

    Returns:
        The same rows with
        p_new: probability of success at the recommended level;
        expected_attempts, expected_successes: the expectation, "at least so many of the next so many correct";
        confidence_model: probability of that, as far as the main brain tells (see `confidence.py` for the rest);
        expected_impact: expected change of the probability that impact_of names;
        impact_of: `success_at_current_level`, or `success_in_session` where a break gives back what was lost;
        time_to_effect_days: days until the expectation can be judged;
        missing_attempts, settling_days: what is missing before the level may move, in answers and days.
    """
    attempts = settings.expectation_attempts
    zone_middle = sum(settings.success_zone) / 2
    own = (pl.col("recent_successes") + _PRIOR_ANSWERS * zone_middle) / (pl.col("recent_attempts") + _PRIOR_ANSWERS)
    index = pl.col("recommended_level").cast(pl.Int32) - 1
    by_model = pl.col("level_probabilities").list.get(index, null_on_oob=True).cast(pl.Float64)
    own_sd = 1 / ((pl.col("recent_attempts") + _PRIOR_ANSWERS) * own * (1 - own)).sqrt()
    expected = decided.with_columns(
        p_new=pl.coalesce(by_model, own),
        _p_now=pl.coalesce("p_level", own),
        _sd=pl.coalesce("success_sd", own_sd),
        expected_attempts=pl.lit(attempts, dtype=pl.Int32),
    ).with_columns(expected_successes=_expected_successes(attempts))
    return (
        expected.with_columns(confidence_model=_at_least(expected), **_impact(settings))
        .with_columns(
            time_to_effect_days=pl.when("passes")
            .then(1)
            .otherwise((attempts / pl.col("pace")).ceil().clip(1, settings.active_days))
            .cast(pl.Int32),
            missing_attempts=(settings.minimum_attempts - pl.col("attempts_at_level")).clip(lower_bound=0),
            settling_days=(settings.cool_down_days - pl.col("days_since_move")).clip(lower_bound=0),
        )
        .drop("_p_now", "_sd")
    )


def _expected_successes(attempts: int) -> pl.Expr:
    """The rule's share of the next answers, but never more than the model itself expects of this learner."""
    of_rule = (pl.col("at_least") * attempts - 1e-9).ceil()
    of_learner = (pl.col("p_new") * attempts).floor()
    return pl.min_horizontal(of_rule, of_learner).clip(1, attempts).cast(pl.Int32)


def learning_efficiency(probability: pl.Expr) -> pl.Expr:
    """How much is learnt from an exercise of this probability of success: 1 at best, never less than a quarter.

    Logistic form of the 85 % rule (Wilson et al. 2019, Nature Communications 10:4646): proportional to x·p·(1−p) with
    x = logit p, best at p = 0.824. It is 0 from one half down, where its learner gets no feedback but right or wrong;
    with the solution shown failures teach too, hence the floor.
    """
    best = 1.5434 * 0.8240 * 0.1760
    clipped = probability.clip(0.5, 0.995)
    return (logit(clipped) * clipped * (1 - clipped) / best).clip(_LEAST_EFFICIENCY, 1.0)


def _impact(settings: PolicySettings) -> dict[str, pl.Expr]:
    """Growth of success at the current level by the next exercises, done as recommended; or what a rest gives back.

    Logits grow by `learning_rate` with a well-placed exercise, less with one that is too easy or too hard. A break
    gives back what the session lost, where it lost anything: the fall is shrunk by 1 − 1/z² (James and Stein), since a
    fall that was picked because it is large is in part chance.
    """
    gain = settings.learning_rate * settings.expectation_attempts * learning_efficiency(pl.col("p_new"))
    now = pl.col("_p_now")
    growth = expit(logit(now) + gain) - expit(logit(now))
    z = pl.col("session_fall_z")
    tired = pl.col("passes") & (z > 1).fill_null(value=False)
    lost = pl.when(tired).then(pl.col("session_fall") * (1 - 1 / z**2))
    return {
        "expected_impact": pl.coalesce(lost, growth).clip(0.0, 1 - now),
        "impact_of": pl.when(tired).then(pl.lit("success_in_session")).otherwise(pl.lit("success_at_current_level")),
    }


def _at_least(expected: pl.DataFrame) -> pl.Series:
    """P(at least `expected_successes` of `expected_attempts`), beta-binomial.

    The beta has mean p_new and the variance that the uncertainty in logits means there (delta method), so that a poorly
    known learner gets a confidence nearer to one half than the same p_new well known.
    """
    p = np.clip(expected["p_new"].to_numpy(), 0.005, 0.995)
    sd = np.maximum(expected["_sd"].to_numpy(), 0.05)
    precision = np.maximum(1 / (p * (1 - p) * sd**2) - 1, 1.0)
    a, b = p * precision, (1 - p) * precision
    n, wanted = expected["expected_attempts"].to_numpy(), expected["expected_successes"].to_numpy()
    total = np.zeros(expected.height)
    for k in range(int(n.max(initial=0)) + 1):
        log_choose = gammaln(n + 1) - gammaln(k + 1) - gammaln(np.maximum(n - k, 0) + 1)
        total += np.where((k >= wanted) & (k <= n), np.exp(log_choose + betaln(k + a, n - k + b) - betaln(a, b)), 0.0)
    return pl.Series("confidence_model", np.clip(total, 0.0, 1.0), dtype=pl.Float64)
