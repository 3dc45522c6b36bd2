"""Preview: pictures that show the pages of the PDF, all or one, by the real engine and the real faces."""

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pypdfium2
import pytest
from flask.testing import FlaskClient
from PIL import Image, ImageChops
from werkzeug.test import TestResponse

from pepforms import resources, settings
from pepforms.web import create_app
from pepforms.wiring import Wiring

SAMPLE = resources.folder("samples") / "valid/year-5-review.json"
NAME = "900005_pep_authority_2026-27_AUT_v1"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    home = tmp_path_factory.mktemp("home")
    return create_app(Wiring(settings.load({"PEPFORMS_HOME": str(home)}))).test_client()


@pytest.fixture(scope="module")
def pdf(client: FlaskClient) -> pypdfium2.PdfDocument:
    return pypdfium2.PdfDocument(asked(client, "to=pdf").data)


@pytest.fixture(scope="module")
def pages(client: FlaskClient) -> dict[str, bytes]:
    answer = asked(client, "to=png")
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def asked(client: FlaskClient, query: str) -> TestResponse:
    return client.post(f"/api/v1/render?{query}", data=SAMPLE.read_bytes())


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    assert (picture.format, picture.mode) == ("PNG", "RGB")
    return picture


def test_one_call_gives_every_page_in_order_under_names_without_personal_data(
    pages: dict[str, bytes], pdf: pypdfium2.PdfDocument
) -> None:
    assert list(pages) == [f"{NAME}_p{number:02}.png" for number in range(1, len(pdf) + 1)]
    assert len(pdf) > 1


def test_a_picture_shows_its_page_dot_by_dot(pages: dict[str, bytes], pdf: pypdfium2.PdfDocument) -> None:
    for number, png in enumerate(pages.values()):
        shown = opened(png)
        drawn = pdf[number].render(scale=shown.width / pdf[number].get_width()).to_pil().convert("RGB")
        assert ImageChops.difference(shown, drawn).getbbox() is None
        assert shown.convert("L").getextrema() == (0, 255)  # black on white: it is not blank


def test_a_page_fills_a_screen_at_its_full_size_and_can_be_read(pages: dict[str, bytes]) -> None:
    assert {opened(png).size for png in pages.values()} == {(794, 1123)}


def test_one_page_alone_is_the_same_picture(client: FlaskClient, pages: dict[str, bytes]) -> None:
    answer = asked(client, "to=png&page=2")
    assert answer.mimetype == "image/png"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{NAME}_p02.png"'
    assert answer.data == pages[f"{NAME}_p02.png"]


@pytest.mark.parametrize(
    ("page", "said"),
    [("0", "pages 1 to 9"), ("10", "pages 1 to 9"), ("two", "the number of a page"), ("-1", "number"), ("", "number")],
)
def test_says_which_pages_there_are_where_one_is_not_there(client: FlaskClient, page: str, said: str) -> None:
    answer = asked(client, f"to=png&page={page}")
    assert (answer.status_code, answer.json["slug"]) == (422, "no-such-page")
    assert said in answer.json["detail"]


@pytest.mark.parametrize("to", ["pdf", "docx"])
def test_a_page_of_what_is_no_picture_is_refused(client: FlaskClient, to: str) -> None:
    answer = asked(client, f"to={to}&page=2")
    assert (answer.status_code, answer.json["slug"]) == (422, "no-such-page")
    assert "say to=png" in answer.json["detail"]


def test_what_cannot_be_a_document_has_no_preview_either(client: FlaskClient) -> None:
    answer = client.post("/api/v1/render?to=png", data=SAMPLE.read_bytes().replace(b'"version": 1', b'"version": "1"'))
    assert (answer.status_code, answer.json["slug"]) == (422, "pep-refused")


def shown(*words: object, out: Path) -> subprocess.CompletedProcess[str]:
    pepforms = Path(sys.executable).with_name("pepforms")
    command = [pepforms, "render", SAMPLE, "--preview", *words, "--out", out]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_line_writes_the_same_pictures(pages: dict[str, bytes], tmp_path: Path) -> None:
    result = shown(out=tmp_path)
    assert result.returncode == 0, result.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == pages
    assert re.findall(r"[^/\n]+\.png", result.stdout) == list(pages)


def test_no_page_of_an_older_state_stays_beside_those_of_a_newer(pages: dict[str, bytes], tmp_path: Path) -> None:
    older = tmp_path / f"{NAME}_p{len(pages) + 1:02}.png"
    others = (f"{NAME}_p01.txt", f"{NAME}_page.png", f"2{NAME}_p{len(pages) + 1:02}.png")
    for path in (older, *(tmp_path / name for name in others)):
        path.write_bytes(b"as it was")
    refused = shown(out=tmp_path)
    assert refused.returncode == 65
    assert f"{older} is a page of a longer document" in refused.stderr
    assert {path.name for path in tmp_path.iterdir()} == {older.name, *others}
    assert shown("--force", out=tmp_path).returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {*pages, *others}


def test_the_command_line_shows_no_word_file(tmp_path: Path) -> None:
    result = shown("--to", "docx", out=tmp_path)
    assert result.returncode == 64
    assert "leave out --to docx" in result.stderr
    assert not list(tmp_path.iterdir())
