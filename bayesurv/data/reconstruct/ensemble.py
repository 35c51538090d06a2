"""Many members of one summary: drawn side by side, kept as they come, the same in any order."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bayesurv.data.faults import Fault, InputError
from bayesurv.data.reconstruct.draw import Member, Reconstruction
from bayesurv.data.reconstruct.summary import Summary

NEARLY = 1e-6
EVERY = 10  # members between two times that what is there is kept


@dataclass(frozen=True)
class Ensemble:
    """Synthetic cohorts that each satisfy a summary.

    patients : one row for each member and patient.
    excess : (member, target) how far the statistic of each is outside its rounding interval.
    """

    summary: Summary
    seed: int
    patients: pd.DataFrame
    excess: np.ndarray


def reconstruct(
    summary: Summary,
    members: int,
    seed: int,
    *,
    workers: int | None = None,
    partial: Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Ensemble:
    """Draw members of a summary; the same for a seed, whatever the number of workers.

    Parameters
    ----------
    members, seed
        How many, and from which random starts.
    workers
        Threads; all processors unless given.
    partial
        File in which what is drawn is kept until all are there; what a run that was ended left in
        it is not drawn again.
    progress
        Told the share that is done.

    Raises
    ------
    InputError
        No member meets the conditions by which it is possible at all, or a target that is hard.
    """
    origin = digest(summary, seed)
    found = _read(partial, origin) if partial is not None else {}
    found = {number: member for number, member in found.items() if number < members}
    drawing = Reconstruction(summary)
    left = [number for number in range(members) if number not in found]
    for done, (number, member) in enumerate(_drawn(drawing, left, seed, workers), start=1):
        found[number] = member
        progress(len(found) / members)
        if partial is not None and done % EVERY == 0:
            _write(partial, origin, found)
    kept = [found[number] for number in range(members)]
    excess = np.array([member.excess for member in kept])
    _refuse_impossible(summary, excess)
    tables = [member.patients.assign(member=number) for number, member in enumerate(kept)]
    patients = pd.concat(tables, ignore_index=True)
    patients.insert(0, "member", patients.pop("member"))
    return Ensemble(summary, seed, patients, excess[:, :-1])


def digest(summary: Summary, seed: int) -> str:
    """SHA-256 of what the members follow from."""
    said = json.dumps([summary.model_dump(mode="json"), seed], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _drawn(
    drawing: Reconstruction, numbers: list[int], seed: int, workers: int | None
) -> Iterator[tuple[int, Member]]:
    """Members as they are done; an interrupt waits for none but those under way."""
    count = workers or os.cpu_count() or 1
    pool = ThreadPoolExecutor(count)
    waiting = list(reversed(numbers))
    running: dict[Future[Member], int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < count:
                number = waiting.pop()
                running[pool.submit(drawing.member, number, seed)] = number
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _refuse_impossible(summary: Summary, excess: np.ndarray) -> None:
    """Raise where no member has what all must have."""
    best = excess.min(axis=0)
    hard = [i for i, target in enumerate(summary.target) if target.status == "hard"]
    faults = [
        Fault(
            f'no member meets "{summary.target[i].name}"; the nearest is {best[i]:.2g} outside its '
            "rounding interval. Look for what it clashes with, or call it soft"
        )
        for i in hard
        if best[i] > NEARLY
    ]
    if best[-1] > NEARLY:
        message = "no member satisfies all conditions of the variables (never, together) and events"
        faults.append(Fault(f"{message}; look for two that cannot both hold"))
    if faults:
        raise InputError(faults)


# --- What is kept of a run that was ended ---


def _write(path: Path, origin: str, found: dict[int, Member]) -> None:
    tables = [
        member.patients.assign(
            member=number, starts=member.starts, excess=json.dumps([*member.excess])
        )
        for number, member in found.items()
    ]
    table = pd.concat(tables, ignore_index=True).assign(origin=origin)
    beside = path.with_name(path.name + ".new")
    table.to_parquet(beside)
    os.replace(beside, path)


def _read(path: Path, origin: str) -> dict[int, Member]:
    """Members of the same summary and seed; none where the file is of another, or is damaged."""
    import pyarrow as pa

    with suppress(OSError, pa.ArrowException, KeyError):
        table = pd.read_parquet(path)
        if (table["origin"] == origin).all():
            return {int(number): _member(rows) for number, rows in table.groupby("member")}
    return {}


def _member(rows: pd.DataFrame) -> Member:
    excess = np.array(json.loads(rows["excess"].iloc[0]))
    own = rows.drop(columns=["member", "starts", "excess", "origin"]).reset_index(drop=True)
    return Member(own, excess, int(rows["starts"].iloc[0]))
