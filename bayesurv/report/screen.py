"""What a command prints: progress, short tables, notes and where the files are."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bayesurv.plots.style import limits
from bayesurv.report.answer import FAILED, Answer
from bayesurv.report.run import Outcome
from bayesurv.report.watcher import Watcher

# Names from the data may look like rich's markup, as stage[iv] does.
console = Console(highlight=False, markup=False, emoji=False)


@contextmanager
def progress() -> Iterator[Watcher]:
    """Show the step that runs and how much of its sampling is done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("Starting", total=None)

        def step(text: str) -> None:
            bar.update(task, description=text, total=None, completed=0)

        def share(done: float) -> None:
            bar.update(task, total=1.0, completed=done)

        yield Watcher(step, share)


def show_outcomes(outcomes: Sequence[Outcome], out: Path) -> None:
    """Print hazard ratios of every fit, the notes once, and the folder."""
    for outcome in outcomes:
        title = f"{outcome.endpoint}, {outcome.baseline}: {outcome.fit.n_patients} patients, "
        title += f"{outcome.fit.n_events} events"
        console.print(title if len(outcome.ratios) else f"{title} (no covariates)")
        if len(outcome.ratios):
            console.print(_ratio_table(outcome.ratios))
        if outcome.fit.failed:
            console.print(FAILED, style="bold red")
    notes = [(o.endpoint, note) for o in outcomes for note in (*o.fit.notes, *o.beside)]
    _notes(notes)
    _place(f"Results are in {out}")


def show_prior(tables: Sequence[tuple[str, pd.DataFrame, tuple[str, ...]]], out: Path) -> None:
    """Print what the priors imply for hazard ratios, medians and survival."""
    for title, frame, notes in tables:
        table = Table(
            "quantity", "time", "median", "95% interval", title=title, title_justify="left"
        )
        for row in frame.itertuples():
            time = "" if pd.isna(row.time) else f"{row.time:.3g}"
            interval = limits(f"{row.lower:.2f}", f"{row.upper:.2f}")
            table.add_row(f"{row.quantity} {row.of}".strip(), time, f"{row.median:.2f}", interval)
        console.print(table)
        _notes((title, note) for note in notes)
    _place(f"Results are in {out}")


def show_predictions(table: pd.DataFrame, out: Path, failed: bool) -> None:
    """Say how much was predicted, and where it is; the rows stay in the file."""
    count, times = table["profile"].nunique(), table["time"].nunique()
    if failed:
        console.print(FAILED, style="bold red")
    who = "1 patient" if count == 1 else f"{count} patients"
    when = "1 time" if times == 1 else f"{times} times"
    _place(f"Predicted the survival of {who} at {when}: {out}")


def show_answer(answer: Answer, out: Path, failed: bool) -> None:
    """Print the table, the sentence, the notes, and where the files are."""
    if failed:
        console.print(FAILED, style="bold red")
    table = Table()
    for name in answer.shown:
        table.add_column(str(name), overflow="fold")
    for row in answer.shown.itertuples(index=False):
        table.add_row(*map(str, row))
    console.print(table)
    console.print(answer.sentence)
    for note in answer.notes:
        console.print(f"Note: {note}")
    _place(f"Results are in {out}")


def _place(text: str) -> None:
    console.print(text, soft_wrap=True)  # a path is copied, so it stays on one line


def _ratio_table(ratios: pd.DataFrame) -> Table:
    table = Table("term", "HR", "95% CrI", "P(HR < 1)")
    for row in ratios.itertuples():
        interval = limits(f"{row.lower:.2f}", f"{row.upper:.2f}")
        table.add_row(row.term, f"{row.hazard_ratio:.2f}", interval, probability(row.prob_below_1))
    return table


def probability(value: float) -> str:
    """A probability from draws, never printed as 0 or 1."""
    if value < 0.001:
        return "<0.001"
    return ">0.999" if value > 0.999 else f"{value:.3f}"


def _notes(notes: Iterable[tuple[str, str]]) -> None:
    """Print each note once, with the endpoints that it is about unless these are all."""
    about: dict[str, list[str]] = {}
    for endpoint, note in dict.fromkeys(notes):
        about.setdefault(note, []).append(endpoint)
    every = {endpoint for endpoints in about.values() for endpoint in endpoints}
    for note, endpoints in about.items():
        where = "" if len(endpoints) == len(every) else f" on {', '.join(endpoints)}"
        console.print(f"Note{where}: {note}")
