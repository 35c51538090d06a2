"""One page of everything: rendered from an output folder, and put into it whole."""

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bayesurv.data.faults import InputError, listed
from bayesurv.estimands.sensitivity import treatment_term
from bayesurv.plots.style import number, probability
from bayesurv.report.answer import FAILED
from bayesurv.report.benefit_words import survival_name
from bayesurv.report.files import write_files
from bayesurv.report.folder import HIDDEN, MARK
from bayesurv.report.page.analyses import Analyses
from bayesurv.report.page.blocks import Markup, Picture, Section
from bayesurv.report.page.closing import closing_sections
from bayesurv.report.page.explorer import explorer_assets, explorer_data
from bayesurv.report.page.folder import Results, read_results
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
        made = {PAGE, *(each.name for each in staging.iterdir())}
        mark = json.loads((path / MARK).read_text(encoding="utf-8"))
        mark["files"] = sorted({*mark["files"], *made})
        write_files({path / PAGE: text, path / MARK: json.dumps(mark, indent=2) + "\n"})
        if TABLES in made:  # last: all that can fill a disk is written
            _swap(staging / TABLES, path / TABLES, staging)
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
        closing=list(closing_sections(results, analyses)),
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
    if results.treatment is None or results.members or results.fit.failed:
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
