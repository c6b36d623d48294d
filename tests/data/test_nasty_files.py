"""Every nasty workbook of the real data gets the promised answer; the bombs get theirs cheaply.

The files are read where they are: most licences forbid copies. Each line: file, codes of its errors (none: it is
valid), first header that was read (none: it was refused before).
"""

import sys

import pytest

from bert_training.data.sandbox import run_in_sandbox
from tests.checking import TEXT, TOKEN, check_file
from tests.shared_data import shared_data

FOLDER = "nasty_xlsx"
BOMB_MEGABYTES = 300
BOMB_SECONDS = 5.0

TOO_SMALL, MISSING = ("class_too_small",), ("missing_column",)
BAD_TOKENS = (
    *("empty_cell", "wrong_quotes", "not_strings", "not_json", "not_a_list", "length_mismatch", "no_tokens"),
    *("empty_token", "bad_tag"),
)

ANSWERS: list[tuple[str, tuple[str, ...], str]] = [
    ("crafted_acentos_nfd_nfc", (), "texto"),
    ("crafted_cabecalho_duplicado", ("duplicate_column",), "texto"),
    ("crafted_cabecalho_maiusculo_espacos", TOO_SMALL, " Texto "),
    ("crafted_celula_32767", TOO_SMALL, "texto"),
    ("crafted_celulas_formula", ("formula_without_value",), "texto"),
    ("crafted_classe_com_1_exemplo", TOO_SMALL, "texto"),
    ("crafted_classe_unica", ("one_class",), "texto"),
    ("crafted_colunas_trocadas_extra", TOO_SMALL, "id"),
    ("crafted_csv_renomeado", ("extension_mismatch",), ""),
    ("crafted_dados_na_segunda_aba", MISSING, "CAPA"),
    ("crafted_dimensao_falsa_1048576", (), "texto"),
    ("crafted_duplicatas_rotulo_conflitante", (), "texto"),
    ("crafted_emoji_zwj_rtl_controle", (), "texto"),
    ("crafted_html_renomeado", ("not_a_spreadsheet",), ""),
    ("crafted_injecao_formula", (), "texto"),
    ("crafted_linha_perdida_no_fim", ("empty_cell",), "texto"),
    ("crafted_linhas_vazias_intercaladas", ("empty_cell", "class_too_small"), "texto"),
    ("crafted_ner_jsons_defeituosos", BAD_TOKENS, "tokens"),
    ("crafted_rotulo_data", (), "texto"),
    ("crafted_rotulo_misto_int_texto_bool", TOO_SMALL, "texto"),
    ("crafted_rotulo_na_n_a", (), "texto"),
    ("crafted_so_cabecalho", ("no_rows",), "texto"),
    ("crafted_titulo_acima_do_cabecalho", MISSING, "RELATORIO DE AVALIACOES 2018"),
    ("crafted_vazio_0_bytes", ("file_empty",), ""),
    ("crafted_xss_nos_textos", (), "texto"),
    ("crafted_xxe_sharedstrings", ("file_unsafe_xml",), ""),
    ("crafted_zip_bomba_120MB_em_celula", ("file_too_large_unpacked",), ""),
    ("crafted_zip_slip", ("file_damaged",), ""),
    ("disguised_any_sheets_xls", MISSING, "1"),
    ("disguised_date_ods", MISSING, "2021-01-01"),
    ("real_54764", ("file_unsafe_xml",), ""),
    ("real_57893-many-merges", ("no_rows",), ""),
    ("real_58616", ("encrypted",), ""),
    ("real_BadWorkbook", ("no_sheet",), ""),
    ("real_EmptyFill", MISSING, "SAT (Aug 2019 - Jul 2020) Detailed Roster"),
    ("real_InvalidPrintTitles", MISSING, "ContractName"),
    ("real_Tables", MISSING, "(ii) Examples Showing"),
    ("real_TwoSheetsOneHidden", MISSING, "Sheet2A1"),
    ("real_date_1904", MISSING, "2021-01-01"),
    ("real_duplicate-filename", ("file_damaged",), ""),
    ("real_empty_sheet", ("no_rows",), ""),
    ("real_encryptAES", ("encrypted",), ""),
    ("real_errors", ("no_rows",), ""),
    ("real_formula_stress_test", MISSING, "Database"),
    ("real_fuzz-XLSX2CSVFuzzer-5025401116950528", ("file_damaged",), ""),
    ("real_has_x000D_", MISSING, "ABC\nDEF"),
    ("real_inlineStr_cdata", MISSING, "Hello CDATA"),
    ("real_invalid", ("not_a_spreadsheet",), ""),
    ("real_issue.2494", MISSING, "Viewed from Front"),
    ("real_issue.2501.b", ("file_damaged",), ""),
    ("real_issue252", ("file_damaged",), ""),
    ("real_issue_419", MISSING, "Hello"),
    ("real_large_strings", MISSING, "a"),
    ("real_lock-LoadPivotTables", ("not_a_spreadsheet",), ""),
    ("real_merged_range", MISSING, "A1"),
    ("real_minimal_package", MISSING, "ARREST BOOKINGS for 01/30/17"),
    ("real_nonstandard-xml-ns-prefix", MISSING, "a"),
    ("real_pass_protected", ("encrypted",), ""),
    ("real_picture", MISSING, "Lorem"),
    ("real_poc-shared-strings", ("file_damaged",), ""),
    ("real_poc-xmlbomb", ("file_unsafe_xml",), ""),
    ("real_rich_text_stress", MISSING, "normal"),
    ("real_sample.strict", MISSING, "Lorem"),
    ("real_whitespace_trim", MISSING, "trimmed value"),
    ("real_xlsx-stream-d-date-cell", MISSING, "String"),
    ("real_xxe_in_schema", MISSING, "/Test/Test"),
]
BOMBS = (
    *("crafted_dimensao_falsa_1048576", "crafted_linha_perdida_no_fim", "crafted_zip_bomba_120MB_em_celula"),
    *("real_54764", "real_57893-many-merges", "real_poc-shared-strings", "real_poc-xmlbomb"),
)


def test_every_file_has_its_answer() -> None:
    files = {path.stem for path in shared_data(FOLDER).glob("*.xlsx")}
    assert files == {name for name, _, _ in ANSWERS}


@pytest.mark.parametrize(("name", "codes", "header"), ANSWERS, ids=[name for name, _, _ in ANSWERS])
def test_a_nasty_file_gets_the_promised_answer(name: str, codes: tuple[str, ...], header: str) -> None:
    path = shared_data(f"{FOLDER}/{name}.xlsx")
    report = check_file(path, task=TOKEN if "_ner_" in name else TEXT, display_name=path.name)
    found = {problem.code for problem in report.errors}
    assert found.issuperset(codes), found
    assert report.valid == (not codes)
    assert bool(report.columns_found) == bool(header)
    assert not header or report.columns_found[0].startswith(header)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its peak memory")
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_little(name: str) -> None:
    path = shared_data(f"{FOLDER}/{name}.xlsx")
    codes, seconds, megabytes = run_in_sandbox("tests.data.measured.check_and_measure", {"path": str(path)})
    assert tuple(codes) == next(expected for stem, expected, _ in ANSWERS if stem == name)
    assert (seconds < BOMB_SECONDS, megabytes < BOMB_MEGABYTES) == (True, True), (seconds, megabytes)
