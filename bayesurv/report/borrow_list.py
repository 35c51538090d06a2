"""The external cohorts, and what each of their numbers can be used for."""

import numpy as np
import pandas as pd
from rich.padding import Padding
from rich.table import Table

from bayesurv.data.faults import InputError
from bayesurv.data.published.external import Evidence, external_evidence
from bayesurv.models.evidence import NO_PRIOR, Z, hazard_prior, treatment_prior
from bayesurv.plots.style import limits, number
from bayesurv.report.screen import console

TREATMENT = "prior of the treatment"
SHOWN = ("evidence", "number", "time from", "use")
READING = (
    "hazards are as if constant. Name a prior of the treatment with --evidence; what time counts "
    "from must be the same as in the data, unless --across-origins is given."
)


def evidence_table() -> pd.DataFrame:
    """Every number of the external cohorts, and what it can be used for.

    Columns evidence, endpoint, number, of, origin, use, population and source.
    """
    return pd.DataFrame([_row(each) for each in external_evidence()])


def _row(each: Evidence) -> dict[str, str]:
    return {
        "evidence": each.name,
        "endpoint": each.endpoint,
        "number": _number(each),
        "of": _of(each),
        "origin": each.origin,
        "use": _use(each),
        "population": each.population,
        "source": f"{each.source}, {each.address}",
    }


def _number(each: Evidence) -> str:
    """What was measured and found, as printed."""
    if each.estimate is None:
        return each.measure
    if each.measure == "count":
        return f"{each.printed} of {each.patients}"
    if each.measure == "median":
        return f"median {each.printed} {each.unit}"
    if each.measure == "hazard ratio":
        return f"hazard ratio {each.printed}"
    when = f" at {each.at} months" if each.at else ""
    return f"{each.printed}%{when}"


def _of(each: Evidence) -> str:
    """Whom the number is about, or what it compares."""
    if each.measure == "hazard ratio":
        return f"{each.treatment} to {each.control}"
    return each.group or ""


def _use(each: Evidence) -> str:
    if each.measure in ("proportion", "count"):
        return "none: no hazard"
    try:
        if each.measure == "hazard ratio":
            treatment_prior(each)
            return TREATMENT
        prior = hazard_prior(each)
    except InputError as error:
        why = str(error).removeprefix(f"{each.name}: ").removeprefix(f"{each.measure}: ")
        return f"none: {why.removesuffix(NO_PRIOR)}"
    rate, low, high = (number(float(np.exp(prior.mu + z * prior.sigma))) for z in (0, -Z, Z))
    return f"hazard {rate} ({limits(low, high)}) a month"


def show_evidence() -> None:
    """Print every cohort with its numbers, and what each can be used for."""
    table = evidence_table()
    for (source, population), cohort in table.groupby(["source", "population"], sort=False):
        console.print(f"{source}: {population}", soft_wrap=True)
        screen = Table(box=None, pad_edge=False)
        for name in SHOWN:
            screen.add_column(name, overflow="fold", no_wrap=name == "evidence")
        for row in cohort.itertuples():
            what = f"{row.endpoint}: {row.number}{f', {row.of}' if row.of else ''}"
            screen.add_row(row.evidence, what, row.origin, row.use)
        console.print(Padding(screen, (0, 0, 1, 2)))
    console.print(f"{len(table)} numbers, with attribution; {READING}")
