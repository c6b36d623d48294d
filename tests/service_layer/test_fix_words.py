"""What the labels of the repairs promise is what the repairs do."""

import re
from collections.abc import Callable

import pytest

from bert_training.data.doctor import mojibake
from bert_training.data.doctor.bio import mend_tag
from bert_training.data.repairs import Fix
from bert_training.services.fix_words import FIX_WORDS


@pytest.mark.parametrize(("fix", "mend"), [(Fix.MEND_TAGS, mend_tag), (Fix.MEND_MOJIBAKE, mojibake.mend)])
def test_the_example_of_a_label_is_what_comes_out(fix: Fix, mend: Callable[[str], str | None]) -> None:
    example = re.search("“(.+)” becomes “(.+)”", FIX_WORDS[fix])
    assert example is not None
    assert mend(example[1]) == example[2]
