"""One page of everything: rendered from an output folder, and put into it whole."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bayesurv.data.faults import InputError, listed
from bayesurv.estimands.sensitivity import treatment_term
from bayesurv.plots.prior_posterior import plot_prior_posterior
from bayesurv.plots.style import number, probability
from bayesurv.report.answer import FAILED
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.files import write_files
from bayesurv.report.folder import HIDDEN, MARK
from bayesurv.report.page.analyses import Analyses, prior_and_posterior
from bayesurv.report.page.blocks import Block, Markup, Picture, Section, drawn, plain_table
from bayesurv.report.page.checklists import barg, robust
from bayesurv.report.page.explorer import explorer_assets, explorer_data
from bayesurv.report.page.folder import Results, read_results
from bayesurv.report.page.methods import CITATIONS, check_name, methods, prior_words
from bayesurv.report.page.questions import questions
from bayesurv.report.page.questions_reproduced import questions_reproduced
from bayesurv.report.paper_table import paper_table_html, write_paper_tables
from bayesurv.report.publication import paper_tables

if TYPE_CHECKING:
    from bayesurv.report.paper_table import PaperTable

PAGE, TABLES = "report.html", "tables"
SHOWN = {
    "survival": "Survival by arm: posterior (band: 95% CrI) over Kaplan–Meier, with the numbers "
    "at risk, censored and with the event.",
    "benefit": "What the treatment gains over time.",
    "horizons": "Time gained by horizon, and the probability of any gain.",
    "hazard": "Hazard over time by arm.",
    "forest": "Hazard ratios with their priors, and by Cox's model where that was fitted.",
    "members": "The hazard ratio in each member.",
}


def write_report(path: Path, word: bool = False) -> Path:
    """Write `report.html` and `tables/` into a folder of results, whole or not at all.

    Raises
    ------
    InputError
        The folder's results cannot be used, or a table is to be a Word file without python-docx.
    """
    results = read_results(path)
    tables = paper_tables(path)
    staging = path / f"{HIDDEN}{secrets.token_hex(4)}"
    staging.mkdir()
    try:
        write_paper_tables(tables, staging, word)
        text = render(results, tables)
        if (staging / TABLES).is_dir():
            _swap(staging / TABLES, path / TABLES, staging)
        mark = json.loads((path / MARK).read_text(encoding="utf-8"))
        made = {PAGE, *((TABLES,) if (path / TABLES).is_dir() else ())}
        mark["files"] = sorted({*mark["files"], *made})
        write_files({path / PAGE: text, path / MARK: json.dumps(mark, indent=2) + "\n"})
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return path / PAGE


def _swap(new: Path, old: Path, aside: Path) -> None:
    if old.exists():
        os.rename(old, aside / "old")
    os.rename(new, old)


def render(results: Results, tables: "dict[str, PaperTable]") -> str:
    """The page as one text that loads nothing."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("bayesurv.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests |= {
        "picture": lambda block: isinstance(block, Picture),
        "markup": lambda block: isinstance(block, Markup),
    }
    analyses = _analyses(results)
    return environment.get_template("page.html.j2").render(
        title=_title(results),
        headline=list(headline(results)),
        failed=f"{FAILED} ({listed(results.failed)})" if results.failed else "",
        synthetic=results.members,
        sections=list(_sections(results, tables)),
        questions=_questions(results, analyses),
        closing=list(_closing(results, analyses)),
        explorer=explorer_data(results.fits, results.treatment, None),
        assets=explorer_assets(),
        css=_static("page.css"),
        provenance=results.provenance,
    )


def _static(name: str) -> str:
    from importlib.resources import files

    path = files("bayesurv.report.page") / "static" / name
    return path.read_text(encoding="utf-8")


def _analyses(results: Results) -> Analyses | None:
    if results.treatment is None or results.members:
        return None
    found = Analyses(results.fit, results.treatment, results.horizon)
    try:
        treatment_term(found.asked)
    except InputError:  # more than two arms, or no one coefficient is the treatment's
        return None
    return found


def _questions(results: Results, analyses: Analyses | None) -> tuple[Section, ...]:
    if results.reproduced:
        return questions_reproduced(results)
    return questions(results, analyses)


def _title(results: Results) -> str:
    if results.reproduced:
        return "A second CAR-T infusion after failure of the first"
    what = survival_name(results.endpoint)
    return f"{what[:1].upper()}{what[1:]}" + (
        f" by {results.treatment}" if results.treatment else ""
    )


def headline(results: Results) -> Iterator[str]:
    """The answer in two sentences with its uncertainty, from the sentences of the benefit."""
    if results.reproduced:
        first, *_, last = results.text("answer.txt")[0].split(". ")
        yield last
        yield f"{first}."
        return
    said = results.text(f"{results.place}/benefit.txt")
    parts = said[0].split(". ") if said else []
    ratio = next((part for part in parts[1:] if "azard ratio" in part), None)
    if ratio is None:
        yield from _no_comparison(results)
        return
    yield f"{parts[0].rstrip('.')}."
    yield f"{ratio.rstrip('.')}."


def _no_comparison(results: Results) -> Iterator[str]:
    fit = results.fit
    yield (
        f"{fit.n_patients} patients, {fit.n_events} events; no treatment was named, so that none "
        "is compared."
    )
    table = results.table(f"{results.place}/hazard_ratios.csv")
    for row in () if table is None else table.head(1).to_dict("records"):
        yield (
            f"Hazard ratio of {row['term']}: {number(row['hazard_ratio'])} (95% CrI "
            f"{number(row['lower'])}–{number(row['upper'])}), P(HR < 1) "
            f"{probability(row['prob_below_1'])}."
        )


def _sections(results: Results, tables: "dict[str, PaperTable]") -> Iterator[Section]:
    """Estimates in figures and tables."""
    pictures = [
        Picture(svg, caption)
        for stem, caption in SHOWN.items()
        if (svg := results.figure(f"{results.place}/figures/{stem}")) is not None
    ]
    everything = results.figure("hazard_ratios") if results.reproduced else None
    if everything is not None:
        pictures.insert(0, Picture(everything, "The hazard ratio of CTI2 in every analysis."))
    yield Section("figures", "Figures", tuple(pictures))
    blocks = tuple(Markup(paper_table_html(tables[stem])) for stem in _in_page(results, tables))
    yield Section("estimates", "Estimates, Bayes beside classical", blocks)


def _in_page(results: Results, tables: "dict[str, PaperTable]") -> Iterator[str]:
    """The tables of the headline's fit, and those of the cohort."""
    own = results.place.replace("/", "_")
    stems = [f"hazard_ratios_{results.endpoint}", f"milestones_{own}", f"benefit_{own}"]
    stems += ["cox_" + results.endpoint, "kaplan_meier_" + results.endpoint]
    stems += ["baseline", "adverse_events", "responses"]
    return (stem for stem in stems if stem in tables)


def _closing(results: Results, analyses: Analyses | None) -> Iterator[Section]:
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
