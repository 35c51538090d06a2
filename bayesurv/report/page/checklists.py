"""BARG and ROBUST, filled from what was run; an item that nobody stated is called open."""

from collections.abc import Iterator

import pandas as pd

from bayesurv.report.page.analyses import DECISION
from bayesurv.report.page.folder import Results
from bayesurv.report.page.methods import prior_words

OPEN = "open: for the authors to state"


def barg(results: Results) -> pd.DataFrame:
    """Kruschke's reporting guidelines: item, how it is met, where to look."""
    rows = [*_model(results), *_computation(results), *_decisions(results)]
    return pd.DataFrame(rows, columns=["Item (BARG)", "How it is met", "Where"])


def robust(results: Results) -> pd.DataFrame:
    """Sung's seven items: item, how it is met, where to look."""
    described = results.described()
    priors = "; ".join(f"{name} {prior}" for name, prior in prior_words(described).items())
    rows = [
        ("Prior specified", priors, "Priors"),
        ("Prior justified", _justified(results), "Priors"),
        ("Sensitivity to the prior", _sensitivity(results), "Questions 9 and 10"),
        ("Statistical model", results.fit.design.formula, "Methods"),
        ("Analytic technique", "Markov chain Monte Carlo (No-U-Turn sampler)", "Methods"),
        ("Central tendency", "posterior medians", "Estimates"),
        ("Variance", "95% equal-tailed credible intervals", "Estimates"),
    ]
    return pd.DataFrame(rows, columns=["Item (ROBUST)", "How it is met", "Where"])


def _model(results: Results) -> Iterator[tuple[str, str, str]]:
    yield "Why Bayesian, and the goals", OPEN, "the paper's introduction"
    yield "1 Variables and likelihood", results.fit.design.formula, "Methods"
    yield "1 Prior, with justification", _justified(results), "Priors"
    where = "bayesurv prior, with the same plan"
    yield "1 Prior predictive check", "survival implied by the priors can be drawn", where


def _computation(results: Results) -> Iterator[tuple[str, str, str]]:
    versions = results.provenance["versions"]
    software = f"PyMC {versions['pymc']}, nutpie {versions['nutpie']}"
    yield "2 Software", software, "Provenance"
    failed = f"checks FAILED: {', '.join(results.failed)}" if results.failed else "checks passed"
    yield "2 Convergence (R-hat)", failed, "Diagnostics"
    yield "2 Effective sample size", "of every parameter, in parameters.csv", "Diagnostics"
    if results.treatment is None or results.members or results.fit.failed:
        yield "3 Posterior predictive check", "not made in this report", "bayesurv check"
    else:
        yield "3 Posterior predictive check", "each patient replayed, by arm", "Diagnostics"
    yield "3 Central tendency and interval", "posterior median, 95% CrI", "Estimates"


def _decisions(results: Results) -> Iterator[tuple[str, str, str]]:
    if results.treatment is None:
        yield "4 Decision and criterion", "no treatment was named: nothing is decided", "Estimates"
    else:
        rule = (
            f'"benefit" at P(HR < 1) of {DECISION:g} or more, "harm" at {1 - DECISION:.2g} or less'
        )
        yield "4 Decision and criterion", rule, "Question 11"
    yield "5 Sensitivity to the prior", _sensitivity(results), "Questions 9 and 10"
    yield "6 Reproducibility", "command, seed, versions and hash of the data", "Provenance"


def _justified(results: Results) -> str:
    if "priors" not in results.plan or not results.plan["priors"]:
        return "the package's defaults; " + OPEN
    return "stated in the plan; " + OPEN.removeprefix("open: ")


def _sensitivity(results: Results) -> str:
    if results.reproduced:
        return "prior widths from 0.35 to 2.5 on the log hazard ratio"
    if results.treatment is None or results.members or results.fit.failed:
        return "not made: no treatment of given patients"
    return "standard priors, tipping point, power-scaling"
