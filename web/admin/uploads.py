"""Catalogues that are uploaded: received in pieces, kept beside the index, run one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from indexer.errors import IndexBusy
from indexer.storing import storing
from web.errors import InvalidRequest, UploadNotFound

STATUS = "status.json"

CATALOGUE = "catalogue"
"""The name of the uploaded file, before its ending."""

ENCODING = "encoding"
"""A file that names the catalogue's."""

ENCODINGS = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252",
    "latin-1": "ISO 8859-1 (Latin-1)",
    "cp932": "Shift_JIS",
    "utf-16": "UTF-16",
}
"""Of catalogues that are text: as Python names them, and as people do; the first is usual."""

STOP = "stop"
"""A file that asks it to stop."""

ENDINGS = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".xml")
"""Of catalogues that can be uploaded: single files."""

PIECE = 4 * 2**20
"""Bytes of a catalogue that come in one request."""

WORKS = ("plan", "sync", "sync-with-removals")

STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A catalogue that was or is being uploaded.

    Attributes
    ----------
    id : str
        Random.
    folder : Path
        Holds the catalogue and its status.
    """

    id: str
    folder: Path

    @property
    def file(self) -> Path:
        """The catalogue."""
        return next(self.folder.glob(f"{CATALOGUE}.*"))

    def status(self) -> dict[str, Any]:
        """Return where it is."""
        said: dict[str, Any] = json.loads((self.folder / STATUS).read_text())
        return {"id": self.id, **said}


class Uploads:
    """The uploaded catalogues of an index.

    Parameters
    ----------
    index : Path
        The index that they are for; they lie in a folder beside it.
    most : int
        Bytes of a catalogue.
    pictures : Path, optional
        The folder in which catalogues may name pictures by paths.
    """

    def __init__(self, index: Path, most: int, pictures: Path | None = None) -> None:
        self.index, self.most, self.pictures = index, most, pictures
        self.folder = index.with_name(f"{index.name}.uploads")
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._held: IO[str] | None = None

    def begin(self, name: str, size: int, encoding: str = "utf-8") -> Upload:
        """Begin to receive a catalogue, in the place of the last one.

        Raises
        ------
        InvalidRequest
            If it is too large, or of no known kind or encoding.
        IndexBusy
            If one is being indexed.
        StorageError
            If there is no writing here.
        """
        ending = Path(name).suffix.lower()
        if ending not in ENDINGS:
            raise InvalidRequest(
                f"A catalogue's name does not end in {ending or 'nothing'!r}.",
                hint=f"These can be uploaded: {', '.join(ENDINGS)}.",
            )
        if not 0 < size <= self.most:
            raise InvalidRequest(
                f"A catalogue has 1 to {self.most:,} bytes.",
                hint="Run lookalike index on the server for a larger one.",
            )
        if encoding not in ENCODINGS:
            raise InvalidRequest(
                "A catalogue is not uploaded in this encoding.",
                hint=f"One of {', '.join(ENCODINGS)}.",
            )
        with self._lock, self._free(), storing(self.folder):
            self._clear()
            upload = Upload(id_ := secrets.token_hex(8), self.folder / id_)
            upload.folder.mkdir(parents=True)
            # Only the ending is the client's, and one of the above.
            (upload.folder / f"{CATALOGUE}{ending}").touch()
            (upload.folder / ENCODING).write_text(encoding)
            begun = {"state": "receiving", "received": 0, "size": size}
            write_status(upload.folder / STATUS, begun)
        return upload

    def receive(self, id_: str, at: int, data: bytes) -> dict[str, Any]:
        """Take a piece of a catalogue; return its status.

        Raises
        ------
        InvalidRequest
            If it does not go on where the last one ended.
        """
        with self._lock:
            upload = self.get(id_)
            said = upload.status()
            if said["state"] != "receiving":
                raise InvalidRequest("This catalogue has been received.", hint="Begin anew.")
            received = upload.file.stat().st_size
            if at != received or received + len(data) > said["size"]:
                raise InvalidRequest(
                    f"This piece does not go on at byte {received}.", hint="Send that one."
                )
            with storing(upload.folder), upload.file.open("ab") as file:
                file.write(data)
            received += len(data)
            state = "received" if received == said["size"] else "receiving"
            write_status(
                upload.folder / STATUS, {"state": state, "received": received, "size": said["size"]}
            )
            return upload.status()

    def start(self, id_: str, work: str) -> dict[str, Any]:
        """Begin to plan or to do what a catalogue asks for; return its status.

        Raises
        ------
        InvalidRequest
            If it has not come whole.
        IndexBusy
            If one is being indexed.
        """
        with self._lock:
            upload = self.get(id_)
            if upload.status()["state"] in ("receiving", "running"):
                raise InvalidRequest("This catalogue is not ready.", hint="Wait a little.")
            # Held until the process ends, whichever worker began it.
            held = self._hold()
            (upload.folder / STOP).unlink(missing_ok=True)
            write_status(upload.folder / STATUS, {"state": "running", "work": work})
            pictures = [] if self.pictures is None else [str(self.pictures)]
            command = [sys.executable, "-P", "-m", "web.admin.job"]
            self._process = subprocess.Popen(  # noqa: S603 - no word of it is a client's
                [*command, str(upload.folder), str(self.index), work, *pictures],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the server, which ends it
                pass_fds=(held.fileno(),),
            )
            held.close()  # the process holds it now
            watching = (self._process, upload)
            threading.Thread(target=_await_end, args=watching, daemon=True).start()
            return upload.status()

    def stop(self, id_: str) -> dict[str, Any]:
        """Ask what is under way to stop, whichever worker began it; return its status.

        What is embedded by then is kept.
        """
        upload = self.get(id_)
        with storing(upload.folder):
            (upload.folder / STOP).touch()
        return upload.status()

    def get(self, id_: str) -> Upload:
        """Return an upload.

        Raises
        ------
        UploadNotFound
            If there is none of this name.
        """
        folder = self.folder / id_
        if not id_.isalnum() or not (folder / STATUS).is_file():
            raise UploadNotFound(
                "There is no such uploaded catalogue.",
                hint="Upload it (again): only the last is kept.",
            )
        return Upload(id_, folder)

    def latest(self) -> dict[str, Any] | None:
        """Return the status of the last upload, None where there is none."""
        for path in self.folder.glob(f"*/{STATUS}"):
            return Upload(path.parent.name, path.parent).status()
        return None

    def close(self) -> None:
        """End what is under way."""
        if self._process is not None and self._process.poll() is None:
            _end(self._process)

    def _clear(self) -> None:
        if self.folder.is_dir():
            shutil.rmtree(self.folder)
        self.folder.mkdir(mode=0o700)

    def _hold(self) -> IO[str]:
        with storing(self.folder):
            file = self.folder.with_suffix(".lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.close()
            raise IndexBusy(
                "A catalogue is being indexed.", hint="Wait until it is done, or stop it."
            ) from error
        return file

    @contextlib.contextmanager
    def _free(self) -> Iterator[None]:
        with self._hold():
            yield


def write_status(path: Path, said: dict[str, Any]) -> None:
    """Write a status, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(said))
    part.replace(path)


def _await_end(process: subprocess.Popen[bytes], upload: Upload) -> None:
    """See to it that a process that died is not waited for."""
    code = process.wait()
    if process.stdin is not None:
        process.stdin.close()
    with contextlib.suppress(OSError, ValueError):  # another upload has taken its place
        said = upload.status()
        if said["state"] == "running":
            error = {"message": f"It ended with {code}.", "hint": "The server's log may say why."}
            write_status(upload.folder / STATUS, {**said, "state": "failed", "error": error})


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
