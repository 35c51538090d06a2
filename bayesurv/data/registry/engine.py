"""Open the patients where they lie: files through DuckDB, or a table of any engine of Ibis."""

import glob
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from bayesurv.data.faults import Fault, InputError, listed, nearest
from bayesurv.data.registry.text_files import TEXT, read_text, reason

MEMORY = "1GB"  # DuckDB spills to disk beyond it
MOST_THREADS = 8
KINDS = (".parquet", *TEXT)
LONGEST_REASON = 200
INTERRUPTED = "Query interrupted"  # what DuckDB makes of Ctrl-C


@dataclass(frozen=True)
class Engine:
    """A table of patients, lazily read.

    table : ibis Table
    name : str
        What messages call it; an address is without its password.
    secret : str or None
        The password, to be kept out of every message.
    """

    table: Any
    name: str
    secret: str | None = None

    def ask(self, expression: Any) -> pa.Table:
        """Run a query and fetch its (small) result.

        Raises
        ------
        InputError
            The engine failed: it disappeared, a file is damaged, it cannot do what is asked.
        """
        try:
            with quiet():
                return expression.to_pyarrow()
        except Exception as error:  # each engine raises errors of its own
            if INTERRUPTED in str(error):
                raise KeyboardInterrupt from None
            raise _failed(self.name, "failed while it was asked", error, self.secret) from None


@contextmanager
def quiet() -> Iterator[None]:
    """Without what engines and Ibis say to programmers about each other's versions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


@contextmanager
def opened(source: str, table: str | None = None) -> Iterator[Engine]:
    """Open a Parquet or CSV file, a pattern or folder of them, or `table` at an Ibis address.

    Raises
    ------
    InputError
        There is no such file, folder, engine or table; Ibis is not installed.
    """
    try:
        import ibis
    except ImportError:
        message = "Ibis and DuckDB are not installed: pip install 'bayesurv[registry]'"
        raise InputError([Fault(message)]) from None
    if "://" in source:
        with _engine(ibis, source, table) as engine:
            yield engine
        return
    if table is not None:
        message = f"--table {table} is for a database; {source} is a file or folder"
        raise InputError([Fault(message)])
    paths = _files(source)
    name = Path(source).name or source
    with _duckdb(ibis, name) as connection:
        try:
            with quiet():
                read = _table_of_files(connection, paths)
        except InputError:
            raise
        except Exception as error:  # as in Engine.ask
            raise _failed(name, "cannot be read", error, None) from None
        yield Engine(read, name)


# --- Files ---


def _files(source: str) -> list[str]:
    """The files of a path, a pattern with * or ?, or a folder; all of one kind."""
    path = Path(source)
    if path.is_dir():
        every = sorted(str(p) for p in path.iterdir() if _kind(p.name))
    elif path.is_file():
        every = [source]
    else:
        every = sorted(name for name in glob.glob(source, recursive=True) if Path(name).is_file())
    if not every:
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        what = f"no {listed(KINDS)} file in {source}" if path.is_dir() else f"no file {source}"
        raise InputError([Fault(f"{what}.{nearest(path.name, beside)}", path.name)])
    faults = [
        Fault(f'a "{Path(name).suffix}" file cannot be read here; use {listed(KINDS)}', name)
        for name in every
        if not _kind(name)
    ]
    if len({_kind(name) == ".parquet" for name in every}) > 1:
        message = "holds Parquet and text files; name those to read, e.g. with *.parquet"
        faults.append(Fault(message, source))
    if faults:
        raise InputError(faults)
    return every


def _kind(name: str) -> str | None:
    return next((kind for kind in KINDS if name.lower().endswith(kind)), None)


def _table_of_files(connection: Any, paths: list[str]) -> Any:
    if _kind(paths[0]) == ".parquet":
        return connection.read_parquet(paths)
    return read_text(connection, paths)


@contextmanager
def _duckdb(ibis: Any, name: str, database: str = ":memory:", **options: Any) -> Iterator[Any]:
    spill = mkdtemp(prefix="bayesurv-")
    settings = {
        "memory_limit": MEMORY,
        "threads": min(os.cpu_count() or 1, MOST_THREADS),
        "temp_directory": spill,
        "preserve_insertion_order": False,
    }
    try:
        try:
            connection = ibis.duckdb.connect(database, **settings, **options)
            connection.con.execute("SET enable_progress_bar = false")
        except Exception as error:  # as in Engine.ask
            raise _failed(name, "cannot be opened", error, None) from None
        try:
            yield connection
        finally:
            connection.disconnect()
    finally:
        shutil.rmtree(spill, ignore_errors=True)


# --- Addresses ---


@contextmanager
def _engine(ibis: Any, address: str, table: str | None) -> Iterator[Engine]:
    parts = urlsplit(address)
    shown, secret = _without_password(address), parts.password
    if table is None:
        raise InputError([Fault("name the table: --table TABLE", shown)])
    if parts.scheme == "duckdb":
        file = address.removeprefix("duckdb://")
        if not Path(file).is_file():
            raise InputError([Fault(f"no file {file}", shown)])
        with _duckdb(ibis, shown, file, read_only=True) as connection:
            yield Engine(_table(connection, table, shown, secret), shown)
        return
    connection = _connected(ibis, address, shown, secret)
    try:
        yield Engine(_table(connection, table, shown, secret), shown, secret)
    finally:
        if parts.scheme != "pyspark":  # the session may be someone else's as well
            connection.disconnect()


def _connected(ibis: Any, address: str, shown: str, secret: str | None) -> Any:
    scheme, _, rest = address.partition("://")
    engine = {"postgresql": "postgres"}.get(scheme, scheme)
    known = [entry.name for entry in ibis.util.backend_entry_points()]
    if engine not in known:
        message = f'Ibis knows no engine "{scheme}".{nearest(scheme, known)}'
        raise InputError([Fault(f"{message} There are {listed(known)}", shown)])
    try:
        with quiet():
            return ibis.connect(f"{engine}://{rest}")
    except ImportError:
        message = f"the engine is not installed: pip install 'ibis-framework[{engine}]'"
        raise InputError([Fault(message, shown)]) from None
    except Exception as error:  # as in Engine.ask
        raise _failed(shown, "cannot be reached", error, secret) from None


def _table(connection: Any, name: str, shown: str, secret: str | None) -> Any:
    """A table by its name, or schema.name; or a Parquet path that the engine reads itself."""
    from ibis.common.exceptions import TableNotFound

    schema, _, bare = name.rpartition(".")
    try:
        with quiet():
            if name.endswith(".parquet"):
                return connection.read_parquet(name)
            try:
                return connection.table(name)
            except TableNotFound:
                if schema:
                    return connection.table(bare, database=schema)
    except TableNotFound:
        pass
    except Exception as error:  # as in Engine.ask
        raise _failed(shown, f"table {name} cannot be read", error, secret) from None
    known = _table_names(connection)
    there = f" There are {listed(known)}" if known else ""
    raise InputError([Fault(f'no table "{name}".{nearest(name, known)}{there}', shown)])


def _table_names(connection: Any) -> list[str]:
    """Names of the tables, for a hint; none where the engine does not tell."""
    try:
        with quiet():
            if connection.name == "duckdb":
                asked = "SELECT table_name FROM information_schema.tables"
                return [row[0] for row in connection.con.execute(asked).fetchall()]
            return list(connection.list_tables())
    except Exception:  # it is a hint alone
        return []


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")
    user = place[0].partition(":")[0]
    return f"{parts.scheme}://{user}{place[1]}{place[2]}{parts.path}"


def _failed(name: str, what: str, error: Exception, secret: str | None) -> InputError:
    """The first line of the engine's reason alone: further lines may quote a patient's row."""
    if (line := reason(error)) is not None:
        return InputError([Fault(f"{line}; correct it, and run it again", name)])
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    for word in {secret, unquote(secret)} if secret else ():
        first = first.replace(word, "***")
    said = f"{type(error).__name__}: {first[:LONGEST_REASON]}"
    return InputError([Fault(f"{what} ({said}); nothing was written, so run it again", name)])
