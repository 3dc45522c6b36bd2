"""Records killed on their way at one step, from `archive` to `deliver run`, gone on with, and counted."""

import functools
import json
import signal
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import kills
import sqlalchemy as sa
from kills import Count, Step, before_and_after

from pepforms import settings
from pepforms.digest import pep_digest, sha256
from pepforms.register import exchange, peps
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.register.tables import Audit, Delivery, Receipt, Record
from pepforms.wiring import DEMONSTRATION_KEY, DEMONSTRATION_OPENER, Wiring

RECORDS = 4
_SENDING = "handover/sending.py"
STEPS = (
    *before_and_after("a record is made", "pepforms/pipeline.py", "archive", 2, to="archive"),
    *before_and_after("the record's file is kept", "register/files.py", "_write", 4, to="archive"),
    *before_and_after("the record is registered", "register/made.py", "keep_record", 2, to="archive"),
    *before_and_after("deliveries are planned", _SENDING, "prepare", to="folder"),
    *before_and_after("a delivery is claimed", _SENDING, "_claim", 2, to="folder"),
    *before_and_after("a record is put into the folder", "deliver/folder.py", "_send", 2, to="folder"),
    *before_and_after("it gets its name there", "pepforms/files.py", "link", 2, to="folder"),
    *before_and_after("its receipt is written", _SENDING, "_arrived", 2, to="folder"),
    *before_and_after("a covering list is drawn", "pepforms/pack.py", "covering_list", to="folder"),
    *before_and_after("a record is sent to a server", "deliver/sftp.py", "_send", 2, to="sftp"),
    *before_and_after("it is uploaded", "deliver/sftp.py", "_upload", 2, to="sftp"),
    *before_and_after("its receipt is written, from a server", _SENDING, "_arrived", 2, to="sftp"),
)
"""Every boundary between two steps of the hand-over; `to` is where it goes, or that it is archived first."""


class Case(kills.Case):
    """One home with a seal and a destination, signed-off PEPs or their records, and commands in it."""

    def __init__(self, folder: Path, database: str, server: Any) -> None:
        super().__init__(folder, database)
        self._server, self.there = server, folder / "in"
        self.there.mkdir()

    def set_up(self, to: str) -> None:
        """The seal, and the destination: a folder for each team, or a server."""
        lcs = {"kind": "folder", "path": self.there, "by": "team"}
        if to == "sftp":
            self.there = self._server.root / self.home.parent.name
            self.there.mkdir()
            login = self._server.account()
            lcs = {"kind": "sftp", "host": login.host, "port": login.port, "user": login.user, "path": self.there}
            lcs |= {"key_file": login.key_file, "known_hosts": login.known_hosts}
        seal = _kept("signed").parent
        tables = {
            "archive": {"validate": "off"},
            "seal": {"key_file": seal / DEMONSTRATION_KEY, "passphrase_file": seal / DEMONSTRATION_OPENER},
            "deliver.lcs": lcs,
        }
        lines = [
            line
            for name, table in tables.items()
            for line in (f"[{name}]", *(f"{key} = {json.dumps(str(value))}" for key, value in table.items()))
        ]
        (self.home / "pepforms.toml").write_text("\n".join(lines) + "\n")

    def keep_all(self, what: str) -> None:
        """Put what was made once into the register."""
        register = self.register()
        exchange.bring_in(register, _kept(what))
        register.close()

    def hand_over(self, step: Step | None = None) -> list[int]:
        """Archive what is signed off, and deliver it; or begin the one that the step is in, to be killed there."""
        archive, deliver = ("archive", "--term", kills.TERM, "--register"), ("deliver", "run")
        if step:
            return [self.run(*(archive if step.to == "archive" else deliver), at=step).returncode]
        return [self.run(*words).returncode for words in (archive, deliver)]

    def claims_expire(self) -> None:
        """Ten minutes pass."""
        assert self.run("deliver", "retry").returncode == 0

    def counted(self, killed: str, store: str, *, died: bool) -> Count:
        """What the register holds, what lies at the destination, and what stands on covering lists."""
        register = self.register()
        with register.reading() as session:
            records, deliveries = session.scalars(sa.select(Record)).all(), session.scalars(sa.select(Delivery)).all()
            about = Counter((one.pep_id, one.version) for one in records)
            kept = session.scalars(sa.select(Audit.subject).where(Audit.action == "record-kept")).all()
            receipts = Counter(session.execute(sa.select(Receipt.delivery_id, Receipt.state)).tuples())
        whole = {one.sha256 for one in records if sha256(register.files.get(one.sha256)) == one.sha256}
        register.close()
        there = [sha256(path.read_bytes()) for path in self.there.rglob("*_PEP_*.pdf")]
        delivered = [one for one in deliveries if one.state == "delivered" and one.record_sha256 in there]
        wanted = {"delivered"} if self.there.parent.name == "in" else {"delivered", "listed"}
        lists = sum(receipts[one.id, state] for one in delivered for state in wanted)
        twice = sum(about.values()) - len(about) + len(kept) - len(set(kept))
        twice += len(there) - len(set(there)) + sum(count - 1 for count in receipts.values())
        lost = RECORDS - len(whole & set(there)) + len(wanted) * RECORDS - lists
        return Count(killed, store, len(records), twice, lost, died, len(delivered), RECORDS)


def killed_at(step: Step, case: Case, store: str) -> Count:
    """Kill the hand-over at a step, go on with it as somebody would, and count."""
    case.set_up(step.to)
    case.keep_all("signed" if step.to == "archive" else "records")
    died = -signal.SIGKILL in case.hand_over(step)
    case.claims_expire()
    codes = case.hand_over()
    assert codes == [0, 0], f"{step.what}: {codes}"
    assert case.run("register", "check").returncode == 0, step.what
    return case.counted(step.what, store, died=died)


@functools.cache
def _made() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="pepforms-handed-over-")


@functools.cache
def _kept(what: str) -> Path:
    """A register with signed-off PEPs, or with their records too, exported: made once."""
    folder = Path(_made().name)
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(folder), "PEPFORMS_ARCHIVE_VALIDATE": "off"}))
    wiring.use_demonstration_key()
    register = Register(folder / f"{what}.sqlite", Files(folder / f"{what}-files"))
    for number in range(RECORDS):
        keep = _signed(number)
        if what == "signed":
            peps.keep(register, keep, kills.PROFILE, by="officer")
        else:
            from pepforms import filing

            filing.keep_pep(keep, wiring.form("pep"), None, wiring, register, by="officer", force=False)
    exchange.export(register, folder / what)
    register.close()
    return folder / what


def _signed(number: int) -> dict[str, Any]:
    """One of several PEPs that are signed off: another child's each."""
    pep: dict[str, Any] = json.loads((kills.SAMPLES / "year-5-review.json").read_bytes())
    pep["pep"]["id"], pep["child"]["lcs_person_id"] = f"PEP-{number}", f"8{number:05}"
    for sign_off in pep["sign_offs"]:
        sign_off["digest"] = pep_digest(pep)
    return pep
