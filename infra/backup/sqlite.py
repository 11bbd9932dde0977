#!/usr/bin/env python3
"""Backup and restore of the shop's SQLite files, while it runs, at one moment for all of them.

    sqlite.py backup  STATE_DIR TARGET      TARGET must not be there yet
    sqlite.py verify  BACKUP                every file is whole
    sqlite.py restore BACKUP STATE_DIR      the shop is stopped; what STATE_DIR has is kept beside it

Each domain has a file of its own, and an order is in several of them. Copies of different moments could tell of an order
that is PAID and a payment that never was. So all writers are held for the milliseconds in which a reading transaction
begins on every file; from then on they go on, and the copies are made of what the readers see. What is copied is what
a power cut at that moment would have left, and the shop's recovery mends that as it mends any crash.

Nothing but Python's own library is needed.
"""

import os
import shutil
import sqlite3
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

# How long to wait for a writer that is at work; the shop's own transactions take milliseconds.
BUSY_SECONDS = 15


class Refused(Exception):
    """Something that the operator has to mend first."""


def databases(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.db"))
    if not found:
        raise Refused(f"{folder} has no databases (*.db)")
    return found


def connect(path: Path) -> sqlite3.Connection:
    # Transactions begin and end where it says so below, and nowhere else.
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


def backup(state: Path, target: Path) -> None:
    files = databases(state)
    if target.exists():
        raise Refused(f"{target} is there already")
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True, mode=0o700)
    with ExitStack() as stack:
        readers = [stack.enter_context(closing(connect(path))) for path in files]
        held = freeze(files, readers)
        print(f"writers were held for {held * 1000:.1f} ms")
        for path, reader in zip(files, readers):
            copy(reader, part / path.name)
    secrets = state / "secrets.toml"
    if secrets.exists():
        # Tokens and identities are made with it; without it everybody is logged out.
        shutil.copy2(secrets, part / secrets.name)
    verify(part)
    sync(part)
    part.rename(target)
    sync(target.parent)


def freeze(files: list[Path], readers: list[sqlite3.Connection]) -> float:
    """Begins a reading transaction on every file at one moment; answers how long writers were held for it."""
    with ExitStack() as stack:
        # Always in the same order, so that two backups at once wait for each other and do not embrace.
        writers = [stack.enter_context(closing(connect(path))) for path in files]
        began = time.monotonic()
        for path, writer in zip(files, writers):
            if writer.execute("pragma journal_mode").fetchone()[0] != "wal":
                raise Refused(f"{path} is not in WAL mode: a reader of it would hold up its writers")
            writer.execute("begin immediate")
        for reader in readers:
            reader.execute("begin")
            reader.execute("select count(*) from sqlite_schema").fetchone()
        for writer in writers:
            writer.execute("rollback")
        return time.monotonic() - began


def copy(reader: sqlite3.Connection, target: Path) -> None:
    with closing(connect(target)) as out:
        # All pages in one step, within the reader's transaction.
        reader.backup(out, pages=-1)
        out.execute("pragma journal_mode = wal")


def verify(folder: Path) -> None:
    for path in databases(folder):
        with closing(connect(path)) as database:
            complaints = [row[0] for row in database.execute("pragma integrity_check")]
            strays = database.execute("pragma foreign_key_check").fetchall()
            database.execute("pragma wal_checkpoint(truncate)")
        if complaints != ["ok"]:
            raise Refused(f"{path} is damaged: {complaints[0]}")
        if strays:
            raise Refused(f"{path} has {len(strays)} rows without the row they belong to")


def restore(source: Path, state: Path) -> None:
    verify(source)
    if state.exists():
        refuse_running(state)
        # Nothing is thrown away: the WAL of an old file beside a restored one would be applied to it.
        kept = state.with_name(f"{state.name}.before-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
        state.rename(kept)
        print(f"what was there is in {kept}")
    state.mkdir(parents=True, mode=0o700)
    for path in databases(source):
        shutil.copy2(path, state / path.name)
    secrets = source / "secrets.toml"
    if secrets.exists():
        shutil.copy2(secrets, state / secrets.name)
    sync(state)


def refuse_running(state: Path) -> None:
    """A shop that runs has its files open, and would go on writing into the ones that were moved away."""
    mine = {os.stat(path).st_ino for path in state.glob("*.db")}
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            opened = os.stat(link)
        except OSError:
            continue
        if opened.st_ino in mine and os.readlink(link).endswith(".db"):
            raise Refused(f"process {link.parts[2]} has the databases open: stop the shop first")


def sync(folder: Path) -> None:
    for path in [*folder.iterdir(), folder]:
        if path.is_file() or path == folder:
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def main(arguments: list[str]) -> int:
    os.umask(0o077)
    verbs = {"backup": (backup, 2), "verify": (verify, 1), "restore": (restore, 2)}
    verb, count = verbs.get(arguments[0] if arguments else "", (None, 0))
    if verb is None or len(arguments) != count + 1:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    try:
        verb(*map(Path, arguments[1:]))
    except (Refused, OSError, sqlite3.Error) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("done")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
