"""Where batches run: in this process, on the cores of this machine, or on a Dask cluster."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from bayesurv.data.faults import Fault, InputError
from bayesurv.planning.batches import Batch, Simulation, Table, run_batch

PATIENCE = "5s"
PRELOADED = (
    "distributed",
    "nutpie",
    "pymc",
    "bayesurv.planning.batches",
    "bayesurv.planning.analysis",
)
ADDRESS = re.compile(r"[a-z]+://\S+:\d+")
INSTALL = "pip install 'bayesurv[cluster]'"


class Here:
    """One batch after another in this process."""

    def run(
        self, simulation: Simulation, batches: Sequence[Batch]
    ) -> Iterator[tuple[Batch, Table]]:
        """Give each batch and what it found."""
        for batch in batches:
            yield batch, run_batch(simulation, batch)


class Cluster:
    """Batches on the workers of a Dask cluster, in the order in which they are finished."""

    def __init__(self, client: Any, address: str) -> None:
        self.client = client
        self.address = address

    def run(
        self, simulation: Simulation, batches: Sequence[Batch]
    ) -> Iterator[tuple[Batch, Table]]:
        """Give each batch and what it found; a batch whose worker dies is run again.

        Raises
        ------
        InputError
            The cluster is lost.
        """
        from dask.distributed import as_completed
        from distributed import CancelledError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker

        # A task and not scattered data, which a cluster whose workers die cannot make again.
        shared = self.client.submit(_same, simulation, pure=False)
        futures = {
            self.client.submit(run_batch, shared, batch, pure=False, retries=2): batch
            for batch in batches
        }
        try:
            for future in as_completed(list(futures), loop=self.client.loop):
                yield futures[future], future.result()
                future.release()
        except (CancelledError, CommClosedError, KilledWorker, TimeoutError) as error:
            message = f"the cluster at {self.address} was lost ({type(error).__name__}); finished "
            message += "batches are kept, and the same command goes on from there"
            raise InputError([Fault(message)]) from None


def _same(simulation: Simulation) -> Simulation:
    return simulation


def have_dask() -> bool:
    """Whether Dask is installed."""
    return find_spec("distributed") is not None


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def place(workers: int | None, scheduler: str | None, batches: int) -> Iterator[Here | Cluster]:
    """Give where batches run.

    Parameters
    ----------
    workers
        Processes on this machine; 1 is this process. Unless given, as many as there are cores or
        batches, or this process where Dask is not installed.
    scheduler
        Address of a Dask scheduler, such as tcp://10.0.0.1:8786, whose workers are used instead.

    Raises
    ------
    InputError
        Dask is needed and not installed, or the scheduler cannot be reached.
    """
    if scheduler is not None:
        with _scheduler(scheduler) as cluster:
            yield cluster
        return
    count = min(cores(), batches) if workers is None else workers
    if count <= 1 or (workers is None and not have_dask()):
        yield Here()
        return
    with _local(count) as cluster:
        yield cluster


@contextmanager
def _local(workers: int) -> Iterator[Cluster]:
    _need_dask("--workers")
    import dask
    from dask.distributed import Client, LocalCluster
    from distributed.utils import get_mp_context

    with _quiet(), dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        # Workers begin as copies of one process that has imported all they need.
        get_mp_context().set_forkserver_preload([*PRELOADED])
        local = LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs="CRITICAL",
        )
        with local, Client(local) as client:
            yield Cluster(client, "this machine")


@contextmanager
def _scheduler(address: str) -> Iterator[Cluster]:
    if not ADDRESS.fullmatch(address):
        message = f'--scheduler: "{address}" is no address; write it as tcp://10.0.0.1:8786'
        raise InputError([Fault(message)])
    _need_dask("--scheduler")
    from dask.distributed import Client

    with _quiet():
        try:
            client = Client(address, timeout=PATIENCE, set_as_default=False)
        except (OSError, TimeoutError) as error:
            message = f"--scheduler: no Dask scheduler answers at {address} ({error}); start one "
            message += "with dask scheduler, or leave --scheduler out to use this machine"
            raise InputError([Fault(message)]) from None
        with client:
            yield Cluster(client, address)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask's log off the screen."""
    import logging

    names = ("distributed", "asyncio", "tornado")
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


def _need_dask(option: str) -> None:
    if not have_dask():
        raise InputError([Fault(f"{option}: Dask is not installed; {INSTALL}")])
