"""The external cohorts, and what each of their numbers can be used for."""

import numpy as np
import pandas as pd
from rich.table import Table

from bayesurv.data.faults import InputError
from bayesurv.data.published.external import Evidence, external_evidence
from bayesurv.models.evidence import Z, hazard_prior, treatment_prior
from bayesurv.plots.style import number
from bayesurv.report.screen import console

TREATMENT = "prior of a treatment's hazard ratio"
READING = (
    "a hazard is that of a constant one, as the median or survival would make it. Name evidence "
    "with --evidence; what time counts from must be that of the data, or --across-origins."
)


def evidence_table() -> pd.DataFrame:
    """Every number of the external cohorts, those that can be priors of a treatment first.

    Columns evidence, endpoint, number, of, origin, use and source.
    """
    rows = [_row(each) for each in external_evidence()]
    order = sorted(rows, key=lambda row: (row["use"] != TREATMENT, row["use"].startswith("none")))
    return pd.DataFrame(order)


def _row(each: Evidence) -> dict[str, str]:
    return {
        "evidence": each.name,
        "endpoint": each.endpoint,
        "number": _number(each),
        "of": _of(each),
        "origin": each.origin,
        "use": _use(each),
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
    who = f"{each.treatment} to {each.control}" if each.measure == "hazard ratio" else each.group
    return f"{who}; {each.population}" if who else each.population


def _use(each: Evidence) -> str:
    if each.measure in ("proportion", "count"):
        return "none here: no hazard"
    try:
        if each.measure == "hazard ratio":
            treatment_prior(each)
            return TREATMENT
        prior = hazard_prior(each)
    except InputError as error:
        return f"none: {str(error).removeprefix(f'{each.name}: ')}"
    rate, low, high = (number(float(np.exp(prior.mu + z * prior.sigma))) for z in (0, -Z, Z))
    return f"hazard a month, if constant: {rate} ({low} to {high})"


def show_evidence() -> None:
    """Print every number, and what it can be used for."""
    table = evidence_table()
    screen = Table(show_lines=False)
    for name in table:
        screen.add_column(str(name), overflow="fold")
    for row in table.itertuples(index=False):
        screen.add_row(*row)
    console.print(screen)
    console.print(f"{len(table)} numbers, with attribution; {READING}")
