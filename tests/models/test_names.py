"""Tables and indexes carry the names that were promised, in the database itself."""

from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

TABLES = {"bert_datasets", "bert_runs", "bert_jobs", "bert_metrics", "bert_logs", "bert_workers"}
INDEXES = {
    "ix_bert_datasets_sha256_hash": ("bert_datasets", ["sha256"]),
    "ix_bert_runs_status": ("bert_runs", ["status"]),
    "ix_bert_jobs_status": ("bert_jobs", ["status"]),
    "ix_bert_metrics_run_id": ("bert_metrics", ["run_id", "id"]),
    "ix_bert_logs_timestamp": ("bert_logs", ["timestamp"]),
}
UNIQUE = {
    "bert_access_tokens": ["digest"],
    "bert_logs": ["attempt_id", "seq"],
    "bert_metrics": ["attempt_id", "seq"],
    "bert_workers": ["name"],
}


def constraints_of(table: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, table)


@pytest.mark.django_db
def test_the_six_tables_have_their_names() -> None:
    assert set(connection.introspection.table_names()) >= TABLES


@pytest.mark.django_db
@pytest.mark.parametrize("name", INDEXES)
def test_an_index_has_its_name_table_and_columns(name: str) -> None:
    table, columns = INDEXES[name]
    index = constraints_of(table)[name]
    assert (index["index"], index["columns"]) == (True, columns)


@pytest.mark.django_db
@pytest.mark.parametrize("table", UNIQUE)
def test_what_is_looked_up_by_a_unique_key_has_an_index_on_it(table: str) -> None:
    unique = [constraint["columns"] for constraint in constraints_of(table).values() if constraint["unique"]]
    assert UNIQUE[table] in unique


def test_every_table_of_the_application_begins_alike() -> None:
    tables = [model._meta.db_table for model in apps.get_app_config("bert_training").get_models()]
    assert [name for name in tables if not name.startswith("bert_")] == []


@pytest.mark.django_db
def test_the_models_need_no_further_migration() -> None:
    call_command("makemigrations", "bert_training", check=True, dry_run=True, verbosity=0)
