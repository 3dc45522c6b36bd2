"""Supervised processes: real ones, hung, killed, swollen and orphaned on purpose."""

import importlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pepforms import workers
from pepforms.errors import Broken, Misconfigured, PepformsError, Refused, Unavailable
from pepforms.workers import Pool

ROOT, ENGINES = Path(__file__).parents[1], Path(__file__).parent / "engines"


@pytest.fixture(scope="module")
def engines() -> Iterator[Any]:
    """The module of misbehaving engines, where worker processes find it too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ENGINES))
        yield importlib.import_module("misbehaving")


@pytest.fixture
def pool(engines: Any) -> Iterator[Callable[..., Pool]]:
    """Makes pools of one misbehaving engine or another, and closes them."""
    made: list[Pool] = []

    def make(start: str = "start", *args: str, **options: Any) -> Pool:
        made.append(
            Pool(getattr(engines, start), *args, **{"name": "The engine", "size": 1, "deadline": 20.0} | options)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def gone(pid: int, within: float = 3.0) -> bool:
    """Whether a process has ended, or ends soon."""
    until = time.monotonic() + within
    while time.monotonic() < until:
        status = Path(f"/proc/{pid}/stat")
        try:
            if status.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.02)
    return False


def pids_in(note: Path) -> list[int]:
    """The processes that an engine has noted down, once it has."""
    until = time.monotonic() + 10
    while not note.exists() and time.monotonic() < until:
        time.sleep(0.02)
    return [int(pid) for pid in note.read_text().split()]


def test_twenty_jobs_of_which_one_hangs_once_one_dies_once_and_one_always_dies(
    pool: Callable[..., Pool], tmp_path: Path
) -> None:
    crew = pool(size=2, deadline=1.0)
    jobs: list[tuple[str, Any]] = [("echo", number) for number in range(20)]
    jobs[3], jobs[7], jobs[11] = ("hang_once", str(tmp_path / "3")), ("die_once", str(tmp_path / "7")), ("die", 11)

    def done(number: int) -> Any:
        try:
            return crew.do(jobs[number], about=f"document {number}")
        except PepformsError as error:
            return error

    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(done, range(20)))
    refused = answers.pop(11)
    assert answers == [said for number, (_, said) in enumerate(jobs) if number != 11]
    assert isinstance(refused, Refused)
    assert refused.slug == "worker-lost"
    assert str(refused).startswith("document 11: The engine did not finish within 1 seconds, or died, twice over.")


def test_a_hang_costs_the_deadline_and_little_more(pool: Callable[..., Pool]) -> None:
    crew = pool(deadline=0.5)
    begun = time.perf_counter()
    with pytest.raises(Refused, match="document 1"):
        crew.do(("hang", 1), about="document 1")
    assert 1.0 <= time.perf_counter() - begun < 3.0


def test_a_job_may_have_a_deadline_of_its_own(pool: Callable[..., Pool]) -> None:
    crew = pool(deadline=0.3)
    assert crew.do(("sleep", 0.6), about="a long one", deadline=10.0) == 0.6
    with pytest.raises(Refused, match=r"did not finish within 0\.3 seconds"):
        crew.do(("sleep", 0.6), about="another")


def test_the_deadline_starts_with_the_job_not_while_it_waits(pool: Callable[..., Pool]) -> None:
    crew = pool(deadline=1.0)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda number: crew.do(("sleep", 0.5), about=str(number)), range(4)))
    assert answers == [0.5] * 4


def test_a_large_job_to_a_process_that_no_longer_reads_ends_at_the_deadline(pool: Callable[..., Pool]) -> None:
    crew = pool(deadline=0.7)
    os.kill(crew.do(("pid", 0), about="first"), signal.SIGSTOP)
    assert crew.do(("echo", b"x" * 5_000_000), about="large") == b"x" * 5_000_000


def test_what_a_worker_started_is_killed_with_it(pool: Callable[..., Pool], tmp_path: Path) -> None:
    crew = pool(deadline=1.0)
    with pytest.raises(Refused):
        crew.do(("hang_with_a_child", str(tmp_path / "pids")), about="document")
    worker, child = pids_in(tmp_path / "pids")
    assert gone(worker)
    assert gone(child)


def test_a_process_that_died_idle_is_replaced_without_a_fault(pool: Callable[..., Pool]) -> None:
    crew = pool(size=2)
    with ThreadPoolExecutor(2) as threads:
        pids = set(
            threads.map(lambda _: crew.do(("sleep", 0.3), about="x") and crew.do(("pid", 0), about="x"), range(2))
        )
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    assert crew.do(("echo", 1), about="document") == 1


def test_a_closed_pool_starts_again_with_the_next_job(pool: Callable[..., Pool]) -> None:
    crew = pool()
    before = crew.do(("pid", 0), about="x")
    crew.close()
    assert gone(before)
    assert crew.do(("pid", 0), about="x") != before


def test_a_process_is_replaced_after_its_share_of_jobs(pool: Callable[..., Pool]) -> None:
    crew = pool(recycle_after=3)
    pids = [crew.do(("pid", 0), about="x") for _ in range(7)]
    assert [pids.index(pid) for pid in pids] == [0, 0, 0, 3, 3, 3, 6]
    assert gone(pids[0])


def test_a_process_is_replaced_once_it_has_swollen_however_large_its_parent_is(pool: Callable[..., Pool]) -> None:
    ours = b"x" * (200 << 20)
    crew = pool(recycle_at=150 << 20)
    first = crew.do(("pid", 0), about="x")
    assert crew.do(("pid", 0), about="x") == first
    assert crew.do(("swell", 200 << 20), about="x") == first
    assert crew.do(("pid", 0), about="x") != first
    assert len(ours) == 200 << 20


def test_a_job_that_asks_for_more_memory_than_it_may_have_is_refused_and_the_next_is_done(
    pool: Callable[..., Pool],
) -> None:
    crew = pool(most_bytes=512 << 20)
    with pytest.raises(Refused, match="more memory to read than any document does") as refused:
        crew.do(("swell", 1 << 30), about="x")
    assert refused.value.slug == "too-much-memory"
    assert crew.do(("echo", "still here"), about="x") == "still here"


@pytest.mark.parametrize("start", ["never_starts", "fails_to_start"])
def test_an_engine_that_cannot_start_is_unavailable(pool: Callable[..., Pool], start: str) -> None:
    with pytest.raises(Unavailable, match=r"^The engine could not be started. Try again later.$") as unavailable:
        pool(start).do(1, about="document")
    assert unavailable.value.slug == "engine-away"


def test_an_engine_says_itself_what_it_lacks(pool: Callable[..., Pool]) -> None:
    with pytest.raises(Misconfigured, match=r"No Java here\."):
        pool("not_set_up").do(1, about="document")


def test_an_engine_that_hangs_at_its_start_is_given_up_and_killed(
    pool: Callable[..., Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "START_SECONDS", 0.7)
    with pytest.raises(Unavailable):
        pool("hangs_at_start", str(tmp_path / "pids")).do(1, about="document")
    assert all(gone(pid) for pid in pids_in(tmp_path / "pids"))


@pytest.mark.parametrize("job", ["unpicklable", "poisoned", "stubborn"])
def test_what_cannot_cross_does_not_wedge_the_pool(pool: Callable[..., Pool], job: str) -> None:
    crew = pool()
    pid = crew.do(("pid", 0), about="x")
    with pytest.raises(Broken, match="An engine failed unexpectedly") as broken:
        crew.do((job, 0), about="document")
    assert "Testchild" not in str(broken.value)
    assert crew.do(("pid", 0), about="x") == pid


def test_a_job_that_cannot_cross_does_not_wedge_the_pool(engines: Any, pool: Callable[..., Pool]) -> None:
    crew = pool()
    with pytest.raises((TypeError, pickle.PicklingError)):
        crew.do(engines.Unpicklable(), about="document")
    assert crew.do(("echo", 1), about="x") == 1


def test_an_engines_own_error_tells_its_kind_and_nothing_of_the_document(pool: Callable[..., Pool]) -> None:
    with pytest.raises(Broken, match=r"^An engine failed unexpectedly \(ValueError\)\.$"):
        pool().do(("fail", "Quill Testchild"), about="document")


def test_an_error_of_ours_crosses_whole(pool: Callable[..., Pool]) -> None:
    with pytest.raises(Refused, match=r"^Not this one$") as refused:
        pool().do(("refuse", "Not this one"), about="document")
    assert refused.value.slug == "refused-here"


def test_what_an_engine_prints_reaches_nobody(pool: Callable[..., Pool], capfd: pytest.CaptureFixture[str]) -> None:
    pool().do(("chatter", "Quill Testchild"), about="document")
    assert capfd.readouterr() == ("", "")


def test_an_interrupted_job_never_answers_another(pool: Callable[..., Pool]) -> None:
    crew = pool()
    crew.do(("echo", 0), about="x")
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        crew.do(("sleep", 1.0), about="first")
    assert crew.do(("echo", 2), about="second") == 2


SCRIPT = f"""\
import sys
sys.path.insert(0, {str(ENGINES)!r})
import misbehaving
from pepforms.workers import Pool
pool = Pool(misbehaving.start, name="The engine", size=1, deadline=60)
print(pool.do(JOB, about="x"), flush=True)
"""


@pytest.mark.parametrize("how", ["command", "pipe", "script", "console script"])
def test_starts_whatever_the_main_script_is(tmp_path: Path, how: str) -> None:
    """None of these scripts guards itself with `if __name__ == "__main__"`."""
    text = SCRIPT.replace("JOB", '("echo", 1)')
    script = tmp_path / ("plain.py" if how == "script" else "pepforms")
    script.write_text(text)
    command = {"command": ["-c", text], "pipe": ["-"]}.get(how, [str(script)])
    said = text if how == "pipe" else ""
    run = subprocess.run([sys.executable, *command], input=said, capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert (run.stdout, run.stderr) == ("1\n", "")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_its_parent_not_even_in_the_middle_of_a_hang(tmp_path: Path, end: signal.Signals) -> None:
    note = tmp_path / "pids"
    parent = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.replace("JOB", f'("hang_with_a_child", {str(note)!r})')], cwd=ROOT
    )
    pids = pids_in(note)
    parent.send_signal(end)
    parent.wait()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)


def test_no_idle_worker_outlives_its_parent() -> None:
    script = SCRIPT.replace("JOB", '("pid", 0)') + "import os; os._exit(1)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert gone(int(run.stdout))


def test_its_processes_end_with_an_orderly_exit_too() -> None:
    script = SCRIPT.replace("JOB", '("pid", 0)')
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, cwd=ROOT)
    assert run.stderr == ""
    assert gone(int(run.stdout))
