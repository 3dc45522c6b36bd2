"""The page and the API over HTTP, by Flask's own client, and once for real under waitress."""

import io
import json
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader

from pepforms import resources, settings
from pepforms.register import exchange
from pepforms.register.files import Files
from pepforms.register.store import Register
from pepforms.web import create_app
from pepforms.wiring import Wiring

SIGNED = (resources.folder("samples") / "valid/year-8-confidential-placement.json").read_bytes()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    wiring = Wiring(settings.load({"PEPFORMS_HOME": str(tmp_path_factory.mktemp("home"))}))
    return create_app(wiring).test_client()


def without(pep: bytes, section: str, key: str) -> bytes:
    value = json.loads(pep)
    (value[section][0] if isinstance(value[section], list) else value[section]).pop(key)
    return json.dumps(value).encode()


def test_the_page_offers_a_file_and_three_buttons_without_script(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'type="file"' in page
    assert page.count("<button") == 3
    assert "<script" not in page


def test_the_page_says_in_plain_english_what_is_wrong(client: FlaskClient) -> None:
    broken = without(SIGNED, "targets", "baseline")
    answer = client.post("/", data={"pep": (io.BytesIO(broken), "pep.json"), "stage": "sign-off", "want": "check"})
    assert answer.status_code == 200
    assert "Target 1" in answer.text
    assert "Virtual School Officer" in answer.text
    assert not re.search(r"\$ref|jsonschema|pointer", answer.text)


def test_the_page_gives_the_word_document_and_the_pdf(client: FlaskClient) -> None:
    for wanted, start in (("docx", b"PK"), ("pdf", b"%PDF")):
        answer = client.post("/", data={"pep": (io.BytesIO(SIGNED), "pep.json"), "want": wanted})
        assert answer.data.startswith(start)
        assert f"900008_pep_authority_2026-27_AUT_v1.{wanted}" in answer.headers["Content-Disposition"]


def test_the_page_makes_no_document_of_a_pep_that_is_refused(client: FlaskClient) -> None:
    broken = without(SIGNED, "pep", "id")
    answer = client.post("/", data={"pep": (io.BytesIO(broken), "pep.json"), "want": "pdf"})
    assert "No document was made" in answer.text


def test_the_page_asks_for_a_file_when_none_was_chosen(client: FlaskClient) -> None:
    answer = client.post("/", data={"want": "check"})
    assert '<a href="#pep">Choose a PEP file first' in answer.text


def test_text_from_a_pep_is_shown_as_text(client: FlaskClient) -> None:
    pep = json.loads(SIGNED)
    pep["actions"][0]["owner"] = "<script>alert(1)</script>"
    upload = (io.BytesIO(json.dumps(pep).encode()), "pep.json")
    assert "<script" not in client.post("/", data={"pep": upload, "want": "check"}).text


def test_validate_answers_with_every_problem(client: FlaskClient) -> None:
    answer = client.post("/api/v1/validate?stage=sign-off", data=without(SIGNED, "targets", "baseline"))
    (entry,) = answer.json["results"]
    assert answer.status_code == 200
    assert entry["valid"] is False
    assert "/targets/0/baseline" in {problem["pointer"] for problem in entry["problems"]}


def test_render_answers_with_an_accessible_pdf(client: FlaskClient) -> None:
    answer = client.post("/api/v1/render?form=pep&audience=authority&to=pdf", data=SIGNED)
    assert answer.mimetype == "application/pdf"
    assert PdfReader(io.BytesIO(answer.data)).trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_render_makes_a_readers_copy_and_names_what_it_lacks(client: FlaskClient) -> None:
    answer = client.post("/api/v1/render?audience=parent&for=mum&to=docx", data=SIGNED)
    assert answer.status_code == 200
    assert "/care/placement/address" in answer.headers["Pepforms-Left-Out"].split()
    assert b"Invented Street" not in answer.data
    whole = client.post("/api/v1/render?to=docx", data=SIGNED)
    assert "Pepforms-Left-Out" not in whole.headers


def test_a_leak_is_told_in_problem_json_by_place_and_never_by_value(client: FlaskClient) -> None:
    pep = json.loads(SIGNED)
    pep["targets"][0]["strategy"] = "Walks along Invented Street"
    answer = client.post("/api/v1/render?audience=parent&for=mum&confidential=true", data=json.dumps(pep))
    assert (answer.status_code, answer.json["slug"]) == (422, "leak")
    assert {problem["pointer"] for problem in answer.json["problems"]} == {"/targets/0/strategy"}
    assert "Invented" not in answer.text


@pytest.mark.parametrize(
    ("query", "data", "slug"),
    [
        ("", b"{", "pep-refused"),
        ("?form=poem", SIGNED, "no-such-form"),
        ("?audience=governor", SIGNED, "audience-not-offered"),
        ("?audience=parent", SIGNED, "for-whom"),
        ("?audience=parent&for=ama", SIGNED, "for-whom"),
        ("?to=html", SIGNED, "no-such-kind"),
    ],
)
def test_render_tells_in_problem_json_what_it_refuses(client: FlaskClient, query: str, data: bytes, slug: str) -> None:
    answer = client.post(f"/api/v1/render{query}", data=data)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["slug"] == slug


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("render?audiance=school", "there are form, audience, to, page, for, confidential"),
        ("render?Audience=school", "there are form, audience"),
        ("render?confidental=true", "there are form, audience"),
        ("render?audience=school&confidential=false&confidential=true", "confidential is there more than once"),
        ("render?audience=authority&audience=school", "audience is there more than once"),
        ("validate?stages=record", "there are stage"),
        ("verify?form=pep", "there are none"),
    ],
)
def test_a_parameter_that_is_unknown_or_said_twice_is_refused_lest_the_copy_tell_more(
    client: FlaskClient, address: str, says: str
) -> None:
    answer = client.post(f"/api/v1/{address}", data=SIGNED)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    assert answer.json["slug"] == "bad-request"
    assert says in answer.json["detail"]


def test_verify_answers_with_the_facts_of_a_pdf_and_of_what_is_none(client: FlaskClient) -> None:
    (entry,) = client.post("/api/v1/verify", data=b"Dear Sir").json["results"]
    assert entry["holds"] is False
    assert entry["problem"]["slug"]


def test_verify_takes_a_scan_as_large_as_the_command_line_does(client: FlaskClient) -> None:
    answer = client.post("/api/v1/verify", data=b"%PDF-1.7\n" + bytes(30_000_000))
    assert answer.status_code == 200
    assert answer.json["results"][0]["problem"]["slug"] == "damaged-pdf"


def test_refuses_a_body_over_the_limit_and_an_unknown_address_and_method(client: FlaskClient) -> None:
    assert client.post("/api/v1/validate", data=b"x" * 22_100_000).status_code == 413
    assert client.get("/api/v1/nowhere").status_code == 404
    assert client.get("/api/v1/validate").status_code == 405


def test_refuses_a_host_name_that_is_not_this_computer(client: FlaskClient) -> None:
    assert client.get("/", headers={"Host": "elsewhere.example"}).status_code == 400


def test_nothing_may_be_kept_framed_or_fetched_from_elsewhere(client: FlaskClient) -> None:
    headers = client.get("/").headers
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert not re.search(r'(src|href)="(https?:)?//', client.get("/").text)


def test_serves_for_real_and_keeps_nothing_of_what_is_sent(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pepforms = Path(sys.executable).with_name("pepforms")
    environment = {"PEPFORMS_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}
    server = subprocess.Popen([pepforms, "serve", "--port", str(port)], env=environment, stderr=subprocess.PIPE)
    try:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/render", data=SIGNED)
        assert _when_up(request).startswith(b"%PDF")
        health = urllib.request.Request(f"http://127.0.0.1:{port}/healthz")
        assert json.loads(_when_up(health)) == {"status": "ok"}
    finally:
        server.terminate()
        server.communicate(timeout=20)
    register = Register(tmp_path / "home" / "register.sqlite", Files(tmp_path / "home" / "files"))
    with register.reading() as session:
        held = {name for name, lines in exchange.dump(session) if lines}
    register.close()
    assert held == {"audit_head", "worker"}
    assert not (tmp_path / "home" / "files").exists()


def _when_up(request: urllib.request.Request) -> bytes:
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except ConnectionError:
            time.sleep(0.1)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.1)
    raise AssertionError("the server did not come up")
