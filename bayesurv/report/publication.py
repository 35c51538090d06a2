"""What tables for a paper an output folder gives."""

from collections.abc import Callable, Iterator
from pathlib import Path

from bayesurv.report.paper_table import PaperTable, paper_table_html, write_paper_tables
from bayesurv.report.publication_counts import counted_table, patient_table, printed_table
from bayesurv.report.publication_cox import members_cox_table
from bayesurv.report.publication_ratios import ratio_table
from bayesurv.report.publication_read import Output
from bayesurv.report.publication_responses import response_rows
from bayesurv.report.publication_survival import benefit_rows, beside_table, milestone_table

__all__ = ["PaperTable", "paper_table_html", "paper_tables", "write_paper_tables"]

type Named = Iterator[tuple[str, PaperTable | None]]


def paper_tables(folder: Path) -> dict[str, PaperTable]:
    """Every table that the files of a folder give, by the stem of its own files.

    The folder is one that `fit`, `reproduce` or `tables` wrote. Where a file is not there, as
    without a treatment or a classical analysis, its table is not either.

    Raises
    ------
    InputError
        The folder is another's, or a file in it is damaged; names the file and the remedy.
    """
    output = Output.read(folder)
    found = (*_of_patients(output), *_of_endpoints(output), *_of_fits(output))
    return {stem: table for stem, table in found if table is not None}


def _of_patients(output: Output) -> Named:
    yield "baseline", patient_table(output) or printed_table(output)
    yield "adverse_events", counted_table(output)
    yield "responses", response_rows(output)


def _of_endpoints(output: Output) -> Named:
    makers: dict[str, Callable] = {
        "hazard_ratios": ratio_table,
        "cox": members_cox_table,
        "kaplan_meier": beside_table,
    }
    for endpoint, fits in output.endpoints().items():
        for stem, made in makers.items():
            yield f"{stem}_{endpoint}", made(output, endpoint, fits)


def _of_fits(output: Output) -> Named:
    for fit in output.fits():
        name = fit.place.replace("/", "_")
        yield f"milestones_{name}", milestone_table(output, fit)
        yield f"benefit_{name}", benefit_rows(output, fit)
