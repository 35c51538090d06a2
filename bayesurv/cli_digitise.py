"""The command that turns a digitised Kaplan-Meier figure into patients."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

digitise_commands = typer.Typer()


@digitise_commands.command()
def digitise(
    curves: Annotated[
        Path,
        typer.Argument(
            metavar="CURVES",
            help="Points read off the figure: columns arm, time and survival (of 1 or of 100).",
        ),
    ],
    at_risk: Annotated[
        Path,
        typer.Option(
            metavar="RISK",
            help="Numbers at risk printed under it: columns arm, time and at_risk; time 0 at "
            "least.",
        ),
    ],
    events: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARM=N", help='Number of events of an arm, e.g. "CTI2=22"; may be repeated.'
        ),
    ] = None,
    treatment: Annotated[
        str, typer.Option(metavar="COL", help="Name of the column of the arms.")
    ] = "arm",
    unit: Annotated[str, typer.Option(help="Of time: days, weeks, months or years.")] = "months",
    out: Annotated[Path, typer.Option(metavar="FILE", help="File for the patients.")] = Path(
        "ipd.csv"
    ),
) -> None:
    """Reconstruct patients from a published Kaplan-Meier figure and its numbers at risk."""
    from bayesurv.report.digitise import run_digitise
    from bayesurv.report.screen import show_answer

    counts = _counts(events or ())
    answer = run_digitise(curves, at_risk, out, events=counts, treatment=treatment, unit=unit)
    show_answer(answer, out, failed=False)


def _counts(texts: Iterable[str]) -> dict[str, int]:
    from bayesurv.data.faults import Fault, InputError

    counts: dict[str, int] = {}
    for text in texts:
        arm, _, count = text.rpartition("=")
        if not (arm and count.isdecimal()):
            raise InputError([Fault(f'--events reads like "CTI2=22"; got "{text}"')])
        if arm in counts:
            raise InputError([Fault(f'--events: "{arm}" is given twice')])
        counts[arm] = int(count)
    return counts
