"""The upload page in Chromium: the chosen file survives every check, what is chosen is kept, nothing is typed twice."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from tests.browser import chromium, sign_in
from tests.personas import PASSWORD
from tests.workbooks import workbook_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

TEXTS = [f"O autor {row} pede que o réu pague o que deve desde o ano passado." for row in range(12)]


def test_from_a_file_with_other_columns_and_a_bad_row_to_a_dataset(
    live_server: LiveServer, ana: User, tmp_path: Path
) -> None:
    rows = [("pedido", "setor"), *((text, "ab"[row % 2]) for row, text in enumerate(TEXTS)), ("", "a")]
    (tmp_path / "dados.xlsx").write_bytes(workbook_of(rows))
    with chromium() as open_page:
        page = open_page(live_server.url)
        sign_in(page, user="ana", password=PASSWORD)
        page.goto("/datasets/new")
        page.set_input_files("#id_file", str(tmp_path / "dados.xlsx"))
        page.fill("#id_name", "Petições")
        page.click("#upload-form button[value=check]")
        page.locator("#upload-report .problem-group-error").wait_for()
        # Suggested columns are chosen in the list, still to be looked at; the file is still in its field.
        assert page.locator("#id_column_text").first.input_value() == "pedido"
        assert page.evaluate("document.activeElement.id") == "upload-report"
        page.click("#upload-form .actions button[value=send]")
        repair = page.locator("#upload-report input[name=recipe][value=leave_out_bad_rows]")
        repair.check()
        page.locator("#upload-report button[value=send]").click()
        page.locator("h1", has_text="Petições").wait_for()
        assert page.locator(".notice-success").count() == 1
