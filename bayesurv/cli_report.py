"""The command that makes the page and the tables of results anew."""

from pathlib import Path
from typing import Annotated

import typer

report_commands = typer.Typer()


@report_commands.command()
def report(
    folder: Annotated[Path, typer.Argument(help="A folder that fit or reproduce wrote.")],
    word: Annotated[
        bool, typer.Option("--word", help='The tables as a Word file too (the extra "word").')
    ] = False,
) -> None:
    """Make report.html and the tables for a paper from a folder of results."""
    from bayesurv.report.page.page import write_report

    typer.echo(f"The report is {write_report(folder, word)}")
