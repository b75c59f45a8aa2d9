"""From a run directory to MLflow: all that spool and journal hold, in order, nothing missing and nothing twice.

A request whose answer was lost is made again, so each is one that may be made twice: a point is known by key, step,
timestamp and value, a picture by its name, a run by the tag that its journal gives it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict

from .store import UNUSABLE, Store, first_line

# isort: split
# Behind the store, which sets the environment that mlflow is imported in.
from mlflow.entities import Metric, Param

from ..config import RequestError
from ..rundir import RunDirectory
from ..system.files import DamagedError
from ..system.jsonl import Entry, read_jsonl
from ..system.words import enumerate_some
from .holdings import BATCH, END, NUMBERS, PARAMETERS, Lacking, file_label, find_lacking, is_file, tag_label
from .images import upload_file
from .journal import START_ID, EarlierRun, check_journal, read_replaced, read_start
from .offsets import UploadOffsets, load_offsets, save_offsets
from .own_runs import delete_run, find_own_runs, make_run, note_id
from .refusals import TROUBLES, OutageError, ask_for_run, is_refusal

PARAMS = 100
"""Parameters that MLflow takes in one call."""

LOST = "it lost the run, all of which is sent again"

logger = logging.getLogger(__name__)


class Uploader:
    """Brings one run directory to one store."""

    def __init__(self, store: Store, run: RunDirectory) -> None:
        start = read_start(run)
        if start is None:
            raise ValueError(f"{run.path}: its journal has no beginning")
        check_journal(run)
        self.store, self.client, self.run, self.start = store, store.client, run, start
        self.offsets = load_offsets(run, store.uri, start["timestamp"])
        self.last_success = time.monotonic()
        """When the store last took something."""
        self.sent = 0
        """Requests by which it took something."""
        self._checked_at: int | None = None
        """What was `sent` when the store last had all that it was brought."""
        self._is_new = False  # whether this process made the run, which therefore lacks nothing yet
        self._refusals = 0
        self._trouble: Exception | None = None
        """What kept files from being looked for, or sent again; numbers and the end go on."""

    def upload(self) -> None:
        """Bring the store whatever is there by now, and again what it has lost.

        Raises:
            OutageError: if it could not take all; the next call goes on from there.
            DamagedError: if spool or journal are not what was written.
        """
        self._restore(self.store.restore)
        if self.offsets.run_id and self._checked_at is None and not self._is_new:
            if self.offsets.left_out:  # it may be taken by now; until that is known, not all of the run is there
                self._save_offsets(left_out={}, done=False)
            self._send_lacking()
        if not self.offsets.run_id:
            self._begin()
        # The journal before the spool: where it has its last line, the spool is complete.
        entries, end = list(read_jsonl(self.run.journal, self.offsets.journal)), None
        self._send_metrics()
        for entry, behind in entries:
            self._send_tags(entry.get("tags", {}))
            if "resume" in entry:
                self._request("that the run goes on", self.client.update_run, self.offsets.run_id, "RUNNING")
                self._save_offsets(ended=False)
            end = entry if "end" in entry else None if "resume" in entry else end
            if end is None:
                self._save_offsets(journal=behind)
        trouble = self._send_files()
        if end:
            self._end(end, entries[-1][1])
        if trouble:
            raise OutageError(first_line(trouble)) from trouble
        if self.offsets.ended:
            self._check_end()
            self._save_offsets(done=True)

    def _check_end(self) -> None:
        """At its end a run asks what the store has: its database may have been lost, or put back, meanwhile."""
        if self._checked_at == self.sent and not self._trouble:
            return
        lacked = self._send_lacking()
        if not self.offsets.run_id:
            raise OutageError(LOST)
        if lacked:
            self._send_metrics()
        if self._trouble:
            raise OutageError(first_line(self._trouble)) from self._trouble
        if lacked:
            for part in set(self._find_lacking().parts) - self.offsets.left_out.keys():
                self._leave_out(part, "the store says that it took it, and does not have it")

    def _send_lacking(self) -> bool:
        """Send again what the store lacks of what it was brought, numbers but for the call that follows.

        Returns:
            Whether there was something. Where the store knows the run no more, all of it is sent again, as another one.
        """
        lacking = self._find_lacking()
        self._note_trouble(lacking.trouble)
        # A file that is damaged here by now may be there from an earlier start.
        self._save_offsets(left_out={what: why for what, why in self.offsets.left_out.items() if what in lacking.parts})
        parts = [part for part in lacking.parts if part not in self.offsets.left_out]
        self._checked_at = self.sent
        if not parts:
            return not self.offsets.run_id
        logger.warning("MLflow has lost %s of %s; it is sent again", enumerate_some(parts), self.run.path)
        self._save_offsets(done=False)
        if lacking.metrics:
            self._save_offsets(metrics=0)
        self._send_params(self.offsets.run_id, lacking.params)
        self._send_tags(lacking.tags)
        if lacking.end:
            self._send_end(lacking.end)
        try:
            for entry in lacking.files:
                self._send_file(entry)
        except Exception as error:  # as in `_send_files`
            self._note_trouble(error)
        return True

    def _note_trouble(self, trouble: Exception | None) -> None:
        if trouble and not self._trouble:
            logger.warning(
                "the place of the files of %s in MLflow does not answer (%s); numbers go on, files are tried again "
                "at the end", self.run.path, first_line(trouble),
            )  # fmt: skip
        self._trouble = trouble

    def _find_lacking(self) -> Lacking:
        """What the store lacks; nothing where it knows the run no more, which then begins from nothing."""
        found = ask_for_run(self.client, self.offsets.run_id)
        if found is None:
            self._forget()
            return Lacking()
        note_id(self.run, self.offsets.run_id)  # it may be damaged
        return find_lacking(self.client, found, self.run, self.start, self.offsets)

    def _forget(self) -> None:
        """Begin from nothing: the store, whose database was lost, has no such run."""
        logger.warning("MLflow has no run %s any more; all of %s is sent again", self.offsets.run_id, self.run.path)
        self._save_offsets(**asdict(UploadOffsets(self.offsets.store, self.offsets.started)))

    def _begin(self) -> None:
        start, replaced = self.start, read_replaced(self.start)
        try:
            if replaced:
                delete_run(self.store, start, replaced, self.run.path)
            # An earlier try may have made the run without its answer reaching us.
            run_id = next(iter(find_own_runs(self.store, start)), None) or make_run(self.store, start)
        except TROUBLES as error:
            if is_refusal(error):  # the experiment is gone with the database of a server
                self._restore(self.store.renew)
            raise OutageError(first_line(error)) from error
        self._send_params(run_id, start["params"])
        note_id(self.run, run_id)
        self._save_offsets(run_id=run_id, start_id=start["tags"].get(START_ID, ""))
        self._is_new = True

    def _restore(self, restore: Callable[[], None]) -> None:
        try:
            restore()
        except (RequestError, *UNUSABLE) as error:
            raise OutageError(first_line(error)) from error

    def _send_params(self, run_id: str, params: Mapping[str, str]) -> None:
        listed = [Param(key, value) for key, value in params.items()]
        for first in range(0, len(listed), PARAMS):
            self._request(PARAMETERS, self.client.log_batch, run_id, params=listed[first : first + PARAMS])

    def _send_tags(self, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            self._request(tag_label(key), self.client.set_tag, self.offsets.run_id, key, value)

    def _send_metrics(self) -> None:
        points: list[Metric] = []
        behind = self.offsets.metrics
        for line, behind in read_jsonl(self.run.spool, self.offsets.metrics):
            points += [Metric(key, value, line["timestamp"], line["step"]) for key, value in line["metrics"].items()]
            if len(points) >= BATCH:
                self._send_points(points, behind)
                points = []
        self._send_points(points, behind)

    def _send_points(self, points: list[Metric], behind: int) -> None:
        """In as few calls as MLflow allows, then save how far the spool was read."""
        for first in range(0, len(points), BATCH):
            some = points[first : first + BATCH]
            self._request(NUMBERS, self.client.log_batch, self.offsets.run_id, metrics=some)
        self._save_offsets(metrics=behind)

    def _send_files(self) -> Exception | None:
        """Upload what is next until something goes wrong; a run whose files have no place still ends as what it was."""
        for entry, behind in read_jsonl(self.run.journal, self.offsets.artifacts):
            try:
                if is_file(entry):
                    self._send_file(entry)
            except Exception as error:  # artifacts go where the server says, and each such place has errors of its own
                return error
            self._save_offsets(artifacts=behind)
        return None

    def _send_file(self, entry: Entry) -> None:
        self._request(file_label(entry), upload_file, self.client, self.offsets.run_id, self.run, entry)

    def _end(self, entry: Entry, behind: int) -> None:
        try:
            for duplicate in find_own_runs(self.store, self.start):
                if duplicate != self.offsets.run_id:
                    delete_run(self.store, self.start, EarlierRun(duplicate, self.offsets.start_id), self.run.path)
        except TROUBLES as error:
            raise OutageError(first_line(error)) from error
        self._send_end(entry)
        self._save_offsets(journal=behind, ended=True)

    def _send_end(self, entry: Entry) -> None:
        run_id, status, at = self.offsets.run_id, entry["end"], entry["timestamp"]
        self._request(END, self.client.set_terminated, run_id, status, at)

    def _request(self, what: str, request: Callable[..., object], *args: object, **kwargs: object) -> None:
        """Make a request that may be made twice; what is refused for good is left out, and logged once.

        Raises:
            OutageError: if it is worth another try.
        """
        try:
            request(*args, **kwargs)
        except (*TROUBLES, DamagedError) as error:
            if not is_refusal(error):
                raise OutageError(first_line(error)) from error
            if not isinstance(error, DamagedError):
                self._check_known()
            self._leave_out(what, first_line(error))
        else:
            self.sent += 1
        self.last_success = time.monotonic()

    def _check_known(self) -> None:
        """Of a run that is gone everything is refused, and none of it was delivered: raises OutageError."""
        if self.offsets.run_id and ask_for_run(self.client, self.offsets.run_id) is None:
            self._forget()
            raise OutageError(LOST)

    def _leave_out(self, what: str, reason: str) -> None:
        self._refusals += 1
        if self._refusals == 1:
            logger.warning("MLflow refuses %s, which is left out: %s", what, reason)
        self._save_offsets(left_out=self.offsets.left_out | {what: reason})

    def _save_offsets(self, **offsets: int | str | bool | dict[str, str]) -> None:
        save_offsets(self.run, self.offsets, **offsets)
