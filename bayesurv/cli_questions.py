"""Commands that ask a saved fit: each writes tables, figures and a sentence into a folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bayesurv.fitting import Fit
    from bayesurv.report.answer import Answer

questions = typer.Typer()

NO_COVARIATES = "--treatment: the model has no covariates; fit one that has the treatment"

Saved = Annotated[
    Path, typer.Argument(metavar="FIT", help="A posterior.nc or the folder that holds it.")
]
Treatment = Annotated[
    str | None, typer.Option(metavar="COL", help="Unless given, the one that the fit named.")
]
Horizon = Annotated[
    float | None,
    typer.Option(help="In the fit's unit; unless given, the follow-up of the shorter arm."),
]
Times = Annotated[str | None, typer.Option(help='Times separated by commas, e.g. "3,6,12".')]
Out = Annotated[Path, typer.Option(metavar="DIR", help="Folder for the answer.")]


@questions.command()
def benefit(
    fit: Saved,
    treatment: Treatment = None,
    horizon: Horizon = None,
    times: Times = None,
    population: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Patients to standardise over; else the cohort's."),
    ] = None,
    bootstrap: Annotated[
        bool, typer.Option("--bootstrap", help="Let the population be uncertain too.")
    ] = False,
    rmst_margin: Annotated[
        float | None, typer.Option(help="Mean survival time gained that matters, in the unit.")
    ] = None,
    survival_margin: Annotated[
        float | None, typer.Option(help="Survival gained that matters: 0.10 is 10 points.")
    ] = None,
    causal: Annotated[
        str | None, typer.Option(help="Assumptions under which the difference is an effect.")
    ] = None,
    rank: Annotated[
        bool, typer.Option("--rank", help="Rank the levels of a treatment with two or more.")
    ] = False,
    out: Out = Path("bayesurv-benefit"),
) -> None:
    """Say whether and how much a treatment helps: hazard ratio, months gained, survival."""
    from bayesurv.report.benefit import benefit_answer

    def ask(fitted: "Fit") -> "Answer":
        asked = _treatment(fitted, treatment), _horizon(fitted, horizon), times, population
        return benefit_answer(fitted, *asked, bootstrap, rmst_margin, survival_margin, causal, rank)

    _answer("benefit", fit, out, ask)


@questions.command()
def check(
    fit: Saved,
    treatment: Treatment = None,
    times: Times = None,
    interval: Annotated[
        float | None,
        typer.Option(help="Length of the intervals in which events are counted."),
    ] = None,
    replicates: Annotated[int, typer.Option(help="Cohorts that are replayed.")] = 500,
    seed: Annotated[int, typer.Option(help="Same seed, same numbers.", min=0)] = 0,
    out: Out = Path("bayesurv-check"),
) -> None:
    """Replay the cohort from the model, arm by arm, and compare it with what was observed."""
    from bayesurv.report.check import check_answer

    def ask(fitted: "Fit") -> "Answer":
        return check_answer(fitted, treatment or _named(fitted), times, replicates, seed, interval)

    _answer("check", fit, out, ask)


@questions.command()
def compare(
    fits: Annotated[
        list[Path], typer.Argument(metavar="FIT...", help="Two or more fits of the same patients.")
    ],
    treatment: Treatment = None,
    horizon: Horizon = None,
    out: Out = Path("bayesurv-compare"),
) -> None:
    """Compare models by what they predict for a left-out patient, and average them."""
    from bayesurv.report.compare import compare_answer

    def ask(*fitted: "Fit") -> "Answer":
        named = treatment or _named(fitted[0])
        until = _horizon(fitted[0], horizon) if named else horizon
        return compare_answer(dict(zip(_names(fits), fitted, strict=True)), named, until)

    _answer("compare", fits, out, ask)


@questions.command()
def influence(
    fit: Saved,
    treatment: Treatment = None,
    horizon: Horizon = None,
    threshold: Annotated[
        float, typer.Option(help="Probability from which a conclusion is drawn.")
    ] = 0.95,
    out: Out = Path("bayesurv-influence"),
) -> None:
    """Leave out each patient: how far the answer moves, and how few patients would change it."""
    from bayesurv.report.influence import influence_answer

    def ask(fitted: "Fit") -> "Answer":
        asked = _treatment(fitted, treatment), _horizon(fitted, horizon)
        return influence_answer(fitted, *asked, threshold)

    _answer("influence", fit, out, ask)


@questions.command()
def sensitivity(
    fit: Saved,
    treatment: Treatment = None,
    horizon: Horizon = None,
    threshold: Annotated[
        float, typer.Option(help="Probability from which a conclusion is drawn.")
    ] = 0.975,
    prior: Annotated[
        list[str] | None,
        typer.Option(help='One more prior, e.g. "registry=HazardRatio(0.5, 1.1)".'),
    ] = None,
    out: Out = Path("bayesurv-sensitivity"),
) -> None:
    """Say how much of the answer is the prior: other priors, and the one that overturns it."""
    from bayesurv.report.sensitivity import sensitivity_answer

    def ask(fitted: "Fit") -> "Answer":
        asked = _treatment(fitted, treatment), _horizon(fitted, horizon)
        return sensitivity_answer(fitted, *asked, threshold, prior or ())

    _answer("sensitivity", fit, out, ask)


def _answer(name: str, files: Path | list[Path], out: Path, ask: "Callable[..., Answer]") -> None:
    """Load, ask, write and show."""
    from bayesurv.report.answer import write_answer
    from bayesurv.report.folder import check_output
    from bayesurv.report.screen import progress, show_answer
    from bayesurv.saved import load

    check_output(out)
    files = files if isinstance(files, list) else [files]
    with progress() as watcher:
        watcher.step("Reading")
        fits = [load(file) for file in files]
        watcher.step("Computing")
        answer = ask(*fits)
        watcher.step("Writing")
        write_answer(answer, out, name, dict(zip(map(str, files), fits, strict=True)))
    show_answer(answer, out, any(fit.failed for fit in fits))


def _named(fit: "Fit") -> str | None:
    """The treatment that was named when the cohort was fitted."""
    from bayesurv.saved import provenance

    return provenance(fit).get("treatment")


def _treatment(fit: "Fit", given: str | None) -> str:
    from bayesurv.data.faults import Fault, InputError, listed

    named = given or _named(fit)
    if named is None:
        known = listed(fit.design.training)
        message = f"--treatment: name one of the covariates {known}" if known else NO_COVARIATES
        raise InputError([Fault(message)])
    return named


def _horizon(fit: "Fit", given: float | None) -> float | None:
    """The horizon asked for, or that of the plan."""
    from bayesurv.saved import provenance

    return given if given is not None else provenance(fit).get("horizon")


def _names(files: list[Path]) -> list[str]:
    """Short names of fits, such as os/weibull; the whole paths where those are the same."""
    folders = [f.parent if f.suffix == ".nc" else f for f in (f.absolute() for f in files)]
    short = ["/".join(folder.parts[-2:]) for folder in folders]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]
