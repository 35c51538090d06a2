"""The prior's part in what is said about a treatment, in words."""

import numpy as np
import pandas as pd

from bayesurv.estimands.arms import Comparison
from bayesurv.estimands.sensitivity import fitted_prior, treatment_term
from bayesurv.estimands.tipping import NARROWEST, VAGUE, TippingPoint, prior_range
from bayesurv.inference.sensitivity import CONFLICT, NOT_SENSITIVE, STRONG_PRIOR
from bayesurv.plots.style import limits, number, probability

FEWEST_EVENTS = 5  # in an arm, for the prior to be weighed in events
SCALING_WORDS = {
    NOT_SENSITIVE: "is not sensitive to a small change of the priors",
    STRONG_PRIOR: "moves with the priors, not with the data, a sign of a strong prior or weak data",
    CONFLICT: "moves with the priors as well as the data: the prior matters, or is in conflict",
}


def sensitivity_sentence(
    asked: Comparison,
    table: pd.DataFrame,
    found: TippingPoint,
    shares: pd.DataFrame,
    scaling: pd.DataFrame,
    endpoint: str,
) -> str:
    """The answer in a few sentences: across priors, the tipping point, the prior's share."""
    said = (
        _under_priors(asked, table, endpoint),
        tipping_words(found),
        _share(asked, shares),
        _scaling(asked, scaling),
    )
    return " ".join(said)


def _under_priors(asked: Comparison, table: pd.DataFrame, endpoint: str) -> str:
    """The probability of benefit and the hazard ratio across the priors."""
    untreated, treated = asked.arms.names
    chances = [
        f"{row.prior}, {row.stated}, {probability(row.prob_benefit)}" for row in table.itertuples()
    ]
    ordered = table.sort_values("hazard_ratio")
    ends = [
        f"{number(row.hazard_ratio)} (95% CrI {limits(number(row.lower), number(row.upper))}, "
        f"{row.prior})"
        for row in (ordered.iloc[0], ordered.iloc[-1])
    ]
    about = f"{endpoint}, {treated}" if endpoint else treated
    return (
        f"{about} against {untreated}: P(HR < 1) by the prior of the log hazard ratio is: "
        f"{'; '.join(chances)}. The {ratio_name(asked).lower()} runs from {' to '.join(ends)}."
    )


def ratio_name(asked: Comparison) -> str:
    """What the hazard ratio of the tables is."""
    if asked.conditional_ratio is not None:
        return "Hazard ratio"
    return f"Marginal hazard ratio up to {asked.horizon:g} {asked.fit.unit}"


def tipping_words(found: TippingPoint) -> str:
    """Which sceptical prior overturns the conclusion."""
    conclusion, threshold = f"P({found.direction})", f"{found.threshold:g}"
    vague = f"{_precise(found.vague)} under Normal(0, {VAGUE:g})"
    error = f"Monte-Carlo error {found.vague_mcse:.2g}"
    if found.holds:
        return (
            f"{conclusion} is {vague} ({error}) and above {threshold} even under "
            f"Normal(0, {NARROWEST:g}): no such prior is sceptical enough to overturn that "
            "conclusion."
        )
    if not np.isfinite(found.sd):
        return (
            f"No conclusion to overturn at {threshold}: {conclusion} is {_precise(found.vague)} "
            f"({error}) even under Normal(0, {VAGUE:g})."
        )
    lower, upper = map(number, prior_range(found.sd))
    known = f"Monte-Carlo error {found.mcse:.2g}" if found.mcse < found.sd else "not known closely"
    return (
        f"{conclusion} is {vague} ({error}) and falls to {threshold} under "
        f"Normal(0, {found.sd:.2g}) (sd {known}): a prior that puts 95% of hazard ratios "
        f"between {lower} and {upper} is sceptical enough to overturn that conclusion."
    )


def _precise(value: float) -> str:
    """A probability with a digit more, beside a threshold such as 0.975."""
    return f"{value:.3f}" if 0.001 <= value < 0.9995 else probability(value)


def _share(asked: Comparison, shares: pd.DataFrame) -> str:
    """How much of the precision is the prior's; in events where one hazard ratio holds for all.

    The data's precision of a log hazard ratio is proportional to the events, if there are some in
    each arm, so that the prior is worth share / (1 - share) of them.
    """
    name = f"coefficient[{treatment_term(asked)}]"
    share = float(shares.set_index("quantity").loc[name, "share"])
    text = f"{_percent(share)} of the precision of the log hazard ratio as fitted comes from its "
    text += f"prior {fitted_prior(asked)}"
    if asked.conditional_ratio is None:
        return text.replace("log hazard ratio", "treatment's coefficient") + "."
    if share < 0.5 and min(_events(asked)) >= FEWEST_EVENTS:
        events = asked.fit.n_events
        more = share / (1 - share) * events
        text += f", about as much as {more:.0f} more events would add to the {events} observed"
    return f"{text}."


def _events(asked: Comparison) -> list[int]:
    """Number of events in each arm."""
    given = asked.fit.design.training[asked.arms.treatment]
    event = asked.fit.draws["observed_data"]["event"].to_numpy() > 0
    return [int(event[(given == level).to_numpy()].sum()) for level in asked.arms.levels]


def _percent(share: float) -> str:
    return "All" if share >= 0.995 else f"{100 * share:.0f}%" if share >= 0.01 else "Less than 1%"


def _scaling(asked: Comparison, scaling: pd.DataFrame) -> str:
    """What power-scaling says of the treatment's hazard ratio."""
    own = asked.conditional_ratio is not None
    row = f"coefficient[{treatment_term(asked)}]" if own else "log_marginal_hazard_ratio"
    found = scaling.set_index("quantity").loc[row, "diagnosis"]
    return f"By power-scaling the {'' if own else 'marginal '}hazard ratio {SCALING_WORDS[found]}."
