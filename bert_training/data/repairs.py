"""The one-click repairs by name, and the recipe: those that somebody chose for a file.

A recipe is a set: each repair has its fixed place on the way from file to table, so the order of the clicks changes
nothing, and the same recipe on the same file gives the same table, byte for byte.
"""

from collections.abc import Iterable
from enum import StrEnum

from bert_training.contract.wording import gettext_noop


class Fix(StrEnum):
    """A repair that the portal can do by itself. Stored with datasets: never renamed."""

    # while the sheet is read
    FIND_HEADER = "find_header"  # the header is the first row that names the wanted columns
    FILL_MERGED = "fill_merged"  # every cell of a merged area carries the value of the first
    LEAVE_OUT_HIDDEN = "leave_out_hidden"  # hidden rows are not read
    SWAP_COLUMNS = "swap_columns"  # the task's two columns change places
    # cell by cell
    MEND_MOJIBAKE = "mend_mojibake"  # "aÃ§Ã£o" becomes "ação"
    MASK_PERSONAL_DATA = "mask_personal_data"  # numbers, addresses become [CPF], [E-MAIL] ...
    STRAIGHTEN_QUOTES = "straighten_quotes"  # lists written with curly or single quotes are read
    MEND_TAGS = "mend_tags"  # b-per, B_PER, BIOES and BILOU become IOB2
    RUNS_TO_ENTITIES = "runs_to_entities"  # PER PER O: a run of one name is one entity
    WORDS_TO_ENTITIES = "words_to_entities"  # N ADJ V: every word is an entity of its own (parts of speech)
    UNIFY_LABELS = "unify_labels"  # labels that look alike are written as the most frequent of them
    # row by row
    LEAVE_OUT_BAD_ROWS = "leave_out_bad_rows"  # rows with an error
    LEAVE_OUT_DUPLICATES = "leave_out_duplicates"  # all but the first row of the same text and answer
    LEAVE_OUT_CONTRADICTIONS = "leave_out_contradictions"  # texts that occur with different answers
    LEAVE_OUT_RARE_CLASSES = "leave_out_rare_classes"  # classes with too few rows to be split


# What a repair did, `count` times: stated in every report, so that nothing is changed in silence.
DONE = {
    Fix.FIND_HEADER: gettext_noop("Rows above the header that were left out: %(count)d."),
    Fix.FILL_MERGED: gettext_noop("Merged cells that took over the value of their area: %(count)d."),
    Fix.LEAVE_OUT_HIDDEN: gettext_noop("Hidden rows that were left out: %(count)d."),
    Fix.SWAP_COLUMNS: gettext_noop("Rows in which the two columns changed places: %(count)d."),
    Fix.MEND_MOJIBAKE: gettext_noop("Cells whose garbled letters were mended: %(count)d."),
    Fix.MASK_PERSONAL_DATA: gettext_noop("Texts in which personal data were masked: %(count)d."),
    Fix.STRAIGHTEN_QUOTES: gettext_noop("Lists that were read in spite of their quotes: %(count)d."),
    Fix.MEND_TAGS: gettext_noop("Rows whose tags were rewritten as O, B-TYPE and I-TYPE: %(count)d."),
    Fix.RUNS_TO_ENTITIES: gettext_noop("Rows in which each run of one name became one entity: %(count)d."),
    Fix.WORDS_TO_ENTITIES: gettext_noop("Rows in which each word became an entity of its own: %(count)d."),
    Fix.UNIFY_LABELS: gettext_noop("Labels that were rewritten in their usual spelling: %(count)d."),
    Fix.LEAVE_OUT_BAD_ROWS: gettext_noop("Rows with an error that were left out: %(count)d."),
    Fix.LEAVE_OUT_DUPLICATES: gettext_noop("Repeated rows that were left out: %(count)d."),
    Fix.LEAVE_OUT_CONTRADICTIONS: gettext_noop("Rows with contradicting answers that were left out: %(count)d."),
    Fix.LEAVE_OUT_RARE_CLASSES: gettext_noop("Rows of too small classes that were left out: %(count)d."),
}

Recipe = frozenset[Fix]
NOTHING: Recipe = frozenset()


def recipe_of(names: Iterable[str]) -> Recipe:
    """Read a recipe from the names that were sent or stored; raises ValueError for one that does not exist."""
    return frozenset(Fix(name) for name in names)


def recipe_names(recipe: Recipe) -> list[str]:
    """Write a recipe as sorted names, the form in which it is stored and digested."""
    return sorted(fix.value for fix in recipe)
