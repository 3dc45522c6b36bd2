"""The wheel alone, installed into an empty environment far from the checkout, does the main job."""

import os
import re
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from pepforms import fonts
from pepforms.wiring import DEMONSTRATION_KEY, DEMONSTRATION_OPENER

ROOT = Path(__file__).parent.parent


def run(*command: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment or None, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    made = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", target, cwd=ROOT)
    assert made.returncode == 0, made.stderr
    (file,) = target.glob("pepforms-*-py3-none-any.whl")
    return file


def declared(requirements: list[str], extras: set[str]) -> set[str]:
    """The names of the distributions that these requirements ask for here, and those ask for in their turn."""
    from packaging.requirements import Requirement

    waiting, found = [(text, extras) for text in requirements], set[tuple[str, frozenset[str]]]()
    while waiting:
        text, asked = waiting.pop()
        each = Requirement(text)
        wanted = re.sub(r"[-_.]+", "-", each.name).lower(), frozenset(each.extras)
        holds = each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in {"", *asked})
        if holds and wanted not in found:
            found.add(wanted)
            waiting += [(more, each.extras) for more in metadata.requires(wanted[0]) or []]
    return {name for name, _ in found}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment with the wheel and what it declares that it needs: no tool, no checkout.

    Those it needs are linked from the environment of the tests, where the lock put them, rather than fetched again.
    """
    home = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(home, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    got = run(sys.executable, "-m", "pip", "--python", home / "bin/python", "install", "--no-deps", wheel, cwd=home)
    assert got.returncode == 0, got.stderr
    (info,) = site.glob("pepforms-*.dist-info")
    for name in declared(metadata.Distribution.at(info).requires or [], {"validate"}):
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution.locate_file(top))))
    return home / "bin"


def clean(home: Path) -> dict[str, str]:
    ours = {name: os.environ[name] for name in ("PATH", "JAVA_TOOL_OPTIONS")}
    return {**ours, "HOME": str(home), "LANG": "C"}


def test_holds_templates_schemas_samples_and_every_font_with_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("templates", "schemas", "samples"):
        ours = {
            f"pepforms/data/{file.relative_to(ROOT).as_posix()}"
            for file in (ROOT / folder).rglob("*")
            if file.is_file() and not file.name.startswith("~$")
        }
        assert ours
        assert ours <= names
    for face in fonts.FACES:
        assert {f"pepforms/fonts/{file.name}" for file in (face.regular, face.bold) if file} <= names
    licences = {name for name in names if re.fullmatch(r"pepforms/fonts/OFL-.+\.txt", name)}
    assert len(licences) == len(fonts.FACES)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert not {name for name in names if name.startswith("tests/") or name.endswith((".pyc", "/.fetched"))}


def test_is_not_built_without_fonts(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "hatch_build.py", "package.json", "README.md", "LICENSE"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "pepforms").mkdir()
    (tmp_path / "pepforms/__init__.py").write_bytes((ROOT / "pepforms/__init__.py").read_bytes())
    refused = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", cwd=tmp_path)
    assert refused.returncode != 0
    assert "NotoSans_400Regular.ttf" in refused.stderr
    assert "make setup" in refused.stderr
    assert "Traceback" not in refused.stderr


SEALING = """\
from pepforms import resources, settings
from pepforms.wiring import Wiring
Wiring(settings.load()).use_demonstration_key()
print(resources.folder("samples") / "valid" / "year-5-review.json")
"""


def test_a_sample_becomes_a_copy_and_a_record_that_holds_where_only_the_wheel_is(
    installed: Path, tmp_path: Path
) -> None:
    home = clean(tmp_path) | {"PEPFORMS_HOME": str(tmp_path / "home")}
    prepared = run(installed / "python", "-c", SEALING, cwd=tmp_path, **home)
    assert prepared.returncode == 0, prepared.stderr
    sample = Path(prepared.stdout.strip())
    assert sample.is_relative_to(installed.parent)
    home["PEPFORMS_SEAL_KEY_FILE"] = str(tmp_path / "home" / DEMONSTRATION_KEY)
    home["PEPFORMS_SEAL_PASSPHRASE_FILE"] = str(tmp_path / "home" / DEMONSTRATION_OPENER)
    for command in ("render", "archive"):
        made = run(installed / "pepforms", command, sample, "--out", tmp_path / command, cwd=tmp_path, **home)
        assert made.returncode == 0, made.stderr
        (document,) = (tmp_path / command).glob("*.pdf")
        assert document.read_bytes().startswith(b"%PDF-")
    verified = run(installed / "pepforms", "verify", document, cwd=tmp_path, **home)
    assert verified.returncode == 0, verified.stderr
    assert "holds (PDF/A-3a and PDF/UA-1, judged by veraPDF" in verified.stdout


@pytest.mark.slow
def test_demo_runs_where_only_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    demo = run(installed / "pepforms", "demo", "--out", tmp_path / "out", cwd=tmp_path, **clean(tmp_path))
    assert demo.returncode == 0, demo.stderr
    documents = list((tmp_path / "out").rglob("*.pdf"))
    assert documents
    assert all(document.read_bytes().startswith(b"%PDF-") for document in documents)
    assert "Traceback" not in demo.stderr


def test_what_runs_is_the_wheel_and_it_has_no_tools(installed: Path, tmp_path: Path) -> None:
    where = run(
        installed / "python", "-c", "import pepforms; print(pepforms.__file__)", cwd=tmp_path, **clean(tmp_path)
    )
    assert where.stdout.startswith(str(installed.parent)), where.stderr
    tools = run(installed / "python", "-c", "import pytest", cwd=tmp_path, **clean(tmp_path))
    assert tools.returncode != 0


def test_a_register_and_a_batch_are_made_where_only_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    sample = ROOT / "samples" / "valid" / "year-3-draft.json"
    made = run(installed / "pepforms", "batch", "run", str(sample), "--to", "docx", cwd=tmp_path, **clean(tmp_path))
    assert made.returncode == 0, made.stderr
    assert "finished: 1 done" in made.stdout
    proved = run(installed / "pepforms", "register", "check", cwd=tmp_path, **clean(tmp_path))
    assert proved.stdout.startswith("The register holds: 1 PEP in 1 state"), proved.stderr


@pytest.mark.parametrize(
    "target", ["setup", "demo", "serve", "test", "test-all", "lint", "format", "bench", "wheel", "lock", "clean"]
)
def test_every_target_of_make_can_be_made(target: str) -> None:
    planned = run("make", "--dry-run", target, cwd=ROOT)
    assert planned.returncode == 0, planned.stderr
