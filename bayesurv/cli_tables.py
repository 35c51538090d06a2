"""Commands of the clinical tables: the published numbers, and those of any cohort."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bayesurv.report.answer import Answer

table_commands = typer.Typer()

Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the tables.")]


@table_commands.command()
def published(out: Out = Path("bayesurv-published")) -> None:
    """Recompute the P values that the founding paper prints, by every test."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.published import published_answer

    check_output(out)
    _finish(published_answer(), out, "published")


@table_commands.command()
def tables(
    cohort: Annotated[
        Path, typer.Argument(help="One row per patient: .csv, .tsv, .parquet or .xlsx.")
    ],
    by: Annotated[str, typer.Option(metavar="COL", help="The groups to compare.")],
    columns: Annotated[
        str | None, typer.Option(help='What to show, e.g. "age,sex,stage"; unless given, all.')
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="Tests of categories: spss (Pearson if 5 or more are expected in every cell, else "
            "Fisher), fisher, pearson or linear-by-linear. Numbers: Wilcoxon or Kruskal-Wallis."
        ),
    ] = "spss",
    ordinal: Annotated[
        list[str] | None,
        typer.Option(help='Levels in order, e.g. "stage=I,II,III,IV"; may be repeated.'),
    ] = None,
    summary: Annotated[
        str, typer.Option(help="Of numbers: median-range, median-quartiles or mean-sd.")
    ] = "median-range",
    out: Annotated[
        Path,
        typer.Option(
            metavar="DIR|FILE",
            help="Folder for the tables, or one file for the paper: .docx, .html, .tex or .csv.",
        ),
    ] = Path("bayesurv-tables"),
) -> None:
    """Make the table of baseline characteristics or adverse events, by group."""
    from bayesurv.report.folder import check_output
    from bayesurv.report.paper_table import check_table_file, is_table_file, write_paper_table
    from bayesurv.report.tables import paper_table, tables_answer

    single = is_table_file(out)
    if single:
        check_table_file(out, cohort)
    else:
        check_output(out)
    names = [name.strip() for name in columns.split(",")] if columns else []
    answer = tables_answer(cohort, by, names, rule, ordinal or (), summary)
    if single:
        write_paper_table(paper_table(answer), out)
        _show(answer, out)
    else:
        _finish(answer, out, "tables")


def _finish(answer: "Answer", out: Path, name: str) -> None:
    """Write and show."""
    from bayesurv.report.answer import write_answer

    write_answer(answer, out, name, {})
    _show(answer, out)


def _show(answer: "Answer", out: Path) -> None:
    from bayesurv.report.screen import show_answer

    show_answer(answer, out, failed=False)
