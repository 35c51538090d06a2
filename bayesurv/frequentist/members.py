"""The classical analysis of every member of an ensemble: log-rank tests and Cox models.

Ties are Breslow's and P is Wald's, as SPSS gives them, for these numbers are put beside printed
ones. Firth's P is that of its penalised likelihood-ratio test.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayesurv.data.reconstruct.summary import Summary, Target
from bayesurv.frequentist.cox import cox
from bayesurv.frequentist.log_rank import log_rank
from bayesurv.frequentist.recomputed import CI_PROB, Coding

LOG_RANK, UNIVARIABLE, MULTIVARIABLE = "log-rank", "Cox, univariable", "Cox, multivariable"


@dataclass(frozen=True)
class Analysis:
    """One test or model of one endpoint.

    terms : columns, or name=LEVEL|LEVEL for having one of these levels.
    firth : with Firth's penalty.
    """

    endpoint: str
    kind: str
    terms: tuple[str, ...]
    firth: bool = False


def analyses(summary: Summary, ordinal: str, high: str) -> list[Analysis]:
    """All that the paper did, and again with an ordinal covariate cut in two.

    Of each endpoint the log-rank test, Cox's model of each factor alone and the multivariable one
    of its printed results. Where `ordinal` is a term, the same follows with `high`, such as
    "stage=3|4", in its place, without and with Firth's penalty.
    """
    models = printed_models(summary)
    factors = dict.fromkeys(term for terms in models.values() for term in terms)
    found = []
    for endpoint in (each.name for each in summary.endpoint):
        found.append(Analysis(endpoint, LOG_RANK, (summary.treatment,)))
        for kind, terms in [
            *((UNIVARIABLE, (factor,)) for factor in factors),
            (MULTIVARIABLE, models[endpoint]),
        ]:
            found.append(Analysis(endpoint, kind, terms))
            if ordinal in terms:
                cut = tuple(high if term == ordinal else term for term in terms)
                found += [Analysis(endpoint, kind, cut, firth) for firth in (False, True)]
    return found


def printed_models(summary: Summary) -> dict[str, tuple[str, ...]]:
    """Terms of the multivariable model of each endpoint."""
    return {
        target.endpoint: target.terms
        for target in summary.target
        if target.kind == "cox" and target.endpoint and len(target.terms) > 1
    }


def printed_result(summary: Summary, analysis: Analysis, term: str) -> Target | None:
    """What the paper prints of a term: its P, and a ratio where there is one.

    Of a covariate cut in two it is what is printed of the covariate, for how it was coded is not
    stated.
    """
    name, terms = term.partition("=")[0], {each.partition("=")[0] for each in analysis.terms}
    for target in summary.target:
        if target.endpoint != analysis.endpoint or target.p is None:
            continue
        if analysis.kind == LOG_RANK and target.kind == "log-rank" and target.term == name:
            return target
        if analysis.kind != LOG_RANK and (target.of, set(target.terms)) == (name, terms):
            return target
    return None


def member_results(
    summary: Summary, cohorts: Sequence[pd.DataFrame], asked: Sequence[Analysis]
) -> pd.DataFrame:
    """Every term of every analysis in every member.

    Columns: member (position), analysis (position), term, hazard_ratio, lower, upper, p, infinite
    (whether Cox's estimate is; it has no P then).
    """
    rows = []
    for member, patients in enumerate(cohorts):
        coding = Coding(summary, patients)
        for number, analysis in enumerate(asked):
            for row in _results(coding, analysis):
                rows.append({"member": member, "analysis": number, **row})
    return pd.DataFrame(rows)


def _results(coding: Coding, analysis: Analysis) -> Iterator[dict[str, object]]:
    times = coding.times(analysis.endpoint)
    if analysis.kind == LOG_RANK:
        (term,) = analysis.terms
        test = log_rank(*times, coding.column(term))
        yield {"term": term, "p": test.p, "infinite": False}
        return
    covariates = coding.columns(analysis.terms)
    fit = cox(*times, covariates, analysis.terms, ties="breslow", firth=analysis.firth)
    p = fit.p("likelihood-ratio" if analysis.firth else "wald")
    lower, upper = fit.interval(CI_PROB)
    for i, term in enumerate(analysis.terms):
        known = term not in fit.infinite
        yield {
            "term": term,
            "hazard_ratio": float(np.exp(fit.coefficient[i])) if known else np.nan,
            "lower": float(np.exp(lower[i])),
            "upper": float(np.exp(upper[i])),
            "p": float(p[i]),
            "infinite": not known,
        }
