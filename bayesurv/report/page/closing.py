"""The last sections of the page: on what its numbers rest."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from bayesurv.plots.prior_posterior import plot_prior_posterior
from bayesurv.report.page.analyses import Analyses, prior_and_posterior
from bayesurv.report.page.blocks import Block, Markup, Picture, Section, drawn, plain_table
from bayesurv.report.page.checklists import barg, robust
from bayesurv.report.page.folder import Results
from bayesurv.report.page.methods import CITATIONS, check_name, methods, prior_words


def closing_sections(results: Results, analyses: Analyses | None) -> Iterator[Section]:
    """Diagnostics, priors, the paper's statements, checklists, methods and provenance."""
    yield Section("diagnostics", "Diagnostics", tuple(_diagnostics(results, analyses)))
    yield Section("priors", "Priors", tuple(_priors(results)))
    if results.reproduced:
        yield Section("verdicts", "The paper, statement by statement", tuple(_verdicts(results)))
    yield Section("checklists", "Checklists", (
        plain_table(barg(results), "BARG: Bayesian analysis reporting guidelines"),
        plain_table(robust(results), "ROBUST: seven items of a Bayesian analysis"),
    ))  # fmt: skip
    cited = "".join(f"<li>{text}</li>" for text in CITATIONS)
    yield Section("methods", "Methods", (*methods(results), Markup(f"<ol>{cited}</ol>")))
    yield Section("provenance", "Provenance", tuple(_provenance(results)))


def _diagnostics(results: Results, analyses: Analyses | None) -> Iterator[Block]:
    rows = []
    for endpoint, models in results.fits.items():
        for model in models:
            table = results.table(f"{endpoint}/{model}/diagnostics.csv")
            if table is not None:
                rows.append(table.assign(fit=f"{endpoint}/{model}"))
    if rows:
        yield plain_table(_checks(pd.concat(rows)), "Checks of the sampler: the worst value")
    chains = results.figure(f"{results.place}/figures/chains")
    if chains is not None:
        yield Picture(chains, "Every chain of every parameter.")
    if analyses is None:
        return
    yield analyses.check.sentence
    for stem, caption in {
        "checks": "Cohorts made again by the model, with each patient's own follow-up.",
        "statistics": "Statistics of the cohort among those of cohorts made again.",
        "calibration": "Predicted against observed.",
    }.items():
        yield drawn(analyses.check.figures[stem], stem, caption)


def _checks(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each fit: the worst value of each check, with its limit in the heading."""
    said = table.assign(
        check=[
            f"{check_name(row.check)} (limit {_plain(row.limit)})" for row in table.itertuples()
        ],
        said=[_plain(row.value) + ("" if row.passed else " FAILED") for row in table.itertuples()],
    )
    wide = said.pivot(index="fit", columns="check", values="said")
    return wide[said["check"].unique()].fillna("–").reset_index()


def _plain(value: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3f}"


def _priors(results: Results) -> Iterator[Block]:
    described = results.described()
    table = pd.DataFrame(prior_words(described).items(), columns=["quantity", "prior"])
    yield plain_table(table, "Priors as they were used")
    pairs = prior_and_posterior(results.fit)
    if pairs:
        times = [name for name in pairs if name.startswith("median")]
        caption = "Prior (grey) and posterior of each quantity, in clinical units."
        yield drawn(plot_prior_posterior(pairs, times=times), "prior_posterior", caption)
    yield from described["notes"]


def _verdicts(results: Results) -> Iterator[Block]:
    table = results.table("verdicts.csv")
    if table is not None:
        shown = table[["id", "statement", "verdict", "printed", "found"]].fillna("")
        yield plain_table(shown, "Statements of the paper and of its conference abstract")


def _provenance(results: Results) -> Iterator[Block]:
    made: dict[str, Any] = dict(results.provenance)
    rows = [("bayesurv", made["bayesurv"]), ("command", made["command"])]
    rows += [("started", made.get("started", "–")), ("seed", str(made.get("seed", "–")))]
    rows += [(name, found) for name, found in made["versions"].items()]
    for name, found in made.get("data", {}).items():
        rows.append((f"data of {name} (SHA-256)", found["sha256"]))
    if "ensemble" in made:
        rows += [(f"ensemble, {key}", str(value)) for key, value in made["ensemble"].items()]
    yield plain_table(
        pd.DataFrame(rows, columns=["what", "value"]), "Where these numbers come from"
    )
