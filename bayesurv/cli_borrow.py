"""The command that borrows external evidence, and the list of what there is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bayesurv.cli_questions import _treatment

if TYPE_CHECKING:
    from bayesurv.fitting import Fit
    from bayesurv.report.borrow_question import Question

borrow_commands = typer.Typer()


@borrow_commands.command()
def borrow(
    fit: Annotated[
        Path | None,
        typer.Argument(metavar="[FIT]", help="A posterior.nc or the folder that holds it."),
    ] = None,
    treatment: Annotated[
        str | None, typer.Option(metavar="COL", help="Unless given, the one that the fit named.")
    ] = None,
    estimate: Annotated[
        str | None,
        typer.Option(help='In place of a fit, a published one: "1.665 (0.883-3.141)".'),
    ] = None,
    evidence: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An external cohort, see --list; may be repeated."),
    ] = None,
    hazard_ratio: Annotated[
        list[str] | None,
        typer.Option(help='Other evidence: "trial=0.28 (0.16-0.51) from progression".'),
    ] = None,
    medians: Annotated[
        list[str] | None,
        typer.Option(help='Or medians: "8.15 (40 events) vs 3.02 (35 events) from infusion".'),
    ] = None,
    weight: Annotated[
        float, typer.Option(help="Prior probability that the evidence holds here.")
    ] = 0.5,
    vague: Annotated[
        str, typer.Option(help="Prior of the log hazard ratio where it does not hold.")
    ] = "Normal(0, 1)",
    origin: Annotated[
        str | None,
        typer.Option(help="What time counts from: progression, salvage-start, infusion, other."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="What is estimated, e.g. os; unless given, the fit's.")
    ] = None,
    across_origins: Annotated[
        bool, typer.Option("--across-origins", help="Pool evidence with another origin of time.")
    ] = False,
    threshold: Annotated[
        float, typer.Option(help="Probability from which a conclusion is drawn.")
    ] = 0.975,
    listed: Annotated[
        bool, typer.Option("--list", help="Print the external cohorts and their uses, and stop.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the answer.")] = Path(
        "bayesurv-borrow"
    ),
) -> None:
    """Borrow external evidence on a treatment, as far as the data agree with it."""
    if listed:
        from bayesurv.report.borrow_list import show_evidence

        show_evidence()
        return
    from bayesurv.report.borrow_question import Question

    question = Question(
        evidence or (), hazard_ratio or (), medians or (), estimate, weight, vague, origin,
        endpoint, across_origins, threshold,
    )  # fmt: skip
    _finish(fit, treatment, question, out)


def _finish(file: Path | None, treatment: str | None, question: "Question", out: Path) -> None:
    """Load, ask, write and show."""
    from bayesurv.report.answer import write_answer
    from bayesurv.report.borrow import borrow_answer
    from bayesurv.report.folder import check_output
    from bayesurv.report.screen import progress, show_answer
    from bayesurv.saved import load

    check_output(out)
    with progress() as watcher:
        watcher.step("Computing")
        fits: dict[str, Fit] = {} if file is None else {str(file): load(file)}
        fitted = next(iter(fits.values()), None)
        named = treatment if fitted is None else _treatment(fitted, treatment)
        answer = borrow_answer(fitted, named, question)
        watcher.step("Writing")
        write_answer(answer, out, "borrow", fits)
    show_answer(answer, out, any(fit.failed for fit in fits.values()))
