"""Finished batches on disk, so that a simulation that was stopped goes on where it was."""

import io
import json
import os
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np

from bayesurv.data.faults import Fault, InputError
from bayesurv.planning.batches import Batch, Simulation, Table

FOLDER = ".bayesurv-simulate"
MARK = "design.json"


class Checkpoints:
    """The batches of one simulation that are finished, in a hidden folder of its output folder.

    A file appears whole or not at all; one that is damaged is as good as none.
    """

    def __init__(self, out: Path, simulation: Simulation) -> None:
        self.folder = out / FOLDER
        self.digest = simulation.digest

    def check(self) -> None:
        """Refuse an output folder that holds batches of another design.

        Raises
        ------
        InputError
            Names the folder and both designs, and says what to do.
        """
        if not self.folder.is_dir():
            return
        try:
            found = json.loads((self.folder / MARK).read_text(encoding="utf-8"))["digest"]
        except (OSError, ValueError, LookupError, TypeError):
            found = "unknown" if any(self.folder.glob("*.npz")) else self.digest
        if found != self.digest:
            message = f"{self.folder} holds finished batches of another design (design {found}, "
            message += f"this one is {self.digest}): seed, engine, version or some key differs; "
            message += "delete that folder, or choose another output folder with --out"
            raise InputError([Fault(message)])

    def open(self) -> None:
        """Make the folder, and say in it whose batches it holds."""
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / MARK
        partial = mark.with_suffix(".partial")
        partial.write_text(json.dumps({"digest": self.digest}), encoding="utf-8")
        os.replace(partial, mark)

    def read(self, batch: Batch) -> Table | None:
        """What a batch found; None unless its file is there and whole."""
        try:
            content = io.BytesIO((self.folder / batch.name).read_bytes())
            with np.load(content, allow_pickle=False) as file:
                table = dict(file)
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None
        return table if len(table.get("log_ratio", ())) == batch.count else None

    def write(self, batch: Batch, table: Table) -> None:
        """Keep what a batch found."""
        file = self.folder / batch.name
        partial = file.with_suffix(".partial")
        with partial.open("wb") as stream:
            np.savez_compressed(stream, **table)  # type: ignore[arg-type]
        os.replace(partial, file)

    def remove(self) -> None:
        """Delete the folder, once the results are written."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def withdraw(self) -> None:
        """Delete a folder in which no batch is, and the output folder if nothing else is in it."""
        if not any(self.folder.glob("*.npz")):
            self.remove()
            with suppress(OSError):
                self.folder.parent.rmdir()
