"""Finds and masks Brazilian personal data in texts: CPF, CNPJ, process number, OAB, e-mail, telephone.

Numbers with check digits count only when those are right. Scans many texts at once: one cheap pass finds long numbers,
and only their surroundings are looked at closely; 132,373 texts of 40 words cost about a second.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

from bert_training.data.profiling.check_digits import is_cnpj, is_cpf, is_process_number
from bert_training.data.profiling.personal_patterns import (
    AT_DOMAIN,
    CNPJ_END,
    CNPJ_IN_A_ROW,
    CNPJ_ROOT,
    COURT_CASE,
    LONG_NUMBER,
    MAILBOX,
    NUMBER,
    OAB_NEAR,
    OAB_REST,
    OAB_WORD,
    TELEPHONE,
    TELEPHONE_WORD,
)

TEXTS_PER_SCAN = 5_000
FIRST_INDEXES = 10

_BETWEEN_TEXTS = "\x00"  # no cleaned text holds one, and no pattern matches it
_TELEPHONE_WORD_CHARACTERS = 20
_OAB_BEFORE_CHARACTERS, _OAB_AFTER_CHARACTERS = 40, 60


class Kind(StrEnum):
    """What kind of personal data. Stored with profiles: never renamed."""

    CPF = "cpf"
    CNPJ = "cnpj"
    PROCESS = "process"
    OAB = "oab"
    EMAIL = "email"
    TELEPHONE = "telephone"


MASKS = {
    Kind.CPF: "[CPF]",
    Kind.CNPJ: "[CNPJ]",
    Kind.PROCESS: "[PROCESSO]",
    Kind.OAB: "[OAB]",
    Kind.EMAIL: "[E-MAIL]",
    Kind.TELEPHONE: "[TELEFONE]",
}


_IS_REAL = {Kind.PROCESS: is_process_number, Kind.CNPJ: is_cnpj, Kind.CPF: is_cpf}


@dataclass(frozen=True)
class Finding:
    """One piece of personal data: text[start:end]."""

    kind: Kind
    start: int
    end: int


@dataclass(frozen=True)
class PersonalDataCount:
    """How often a kind occurs: found in all, in so many rows, the first of which have these indexes (from 0)."""

    found: int
    rows: int
    first_indexes: tuple[int, ...]


def find_personal_data(text: str) -> list[Finding]:
    """Return what is found in a text, in its order and without overlap; a process number hides a CPF inside it."""
    findings: list[Finding] = []
    end = 0
    for finding in sorted(_all_findings(text), key=lambda found: (found.start, -found.end)):
        if finding.start >= end:
            findings.append(finding)
            end = finding.end
    return findings


def count_personal_data(texts: Iterable[str]) -> dict[Kind, PersonalDataCount]:
    """Count each kind in texts (one a row); every kind is a key."""
    found = dict.fromkeys(Kind, 0)
    rows: dict[Kind, list[int]] = {kind: [] for kind in Kind}
    for index, finding in _scan(list(texts)):
        found[finding.kind] += 1
        if rows[finding.kind][-1:] != [index]:
            rows[finding.kind].append(index)
    return {kind: PersonalDataCount(found[kind], len(rows[kind]), tuple(rows[kind][:FIRST_INDEXES])) for kind in Kind}


def mask(text: str) -> str:
    """Replace each piece of personal data by the name of its kind: [CPF], [E-MAIL] ..."""
    pieces, end = [], 0
    for finding in find_personal_data(text):
        pieces += [text[end : finding.start], MASKS[finding.kind]]
        end = finding.end
    return "".join([*pieces, text[end:]])


def mask_column(texts: Sequence[str]) -> tuple[list[str], int]:
    """Mask texts (one a row); returns them and how many changed."""
    touched = dict.fromkeys(index for index, _ in _scan(texts))
    masked = list(texts)
    for index in touched:
        masked[index] = mask(texts[index])
    return masked, len(touched)


def mask_words(rows: Sequence[list[str]]) -> tuple[list[list[str]], int]:
    """Mask texts that are lists of words, keeping their number; returns the lists and how many changed."""
    texts = [" ".join(words) for words in rows]
    touched = dict.fromkeys(index for index, _ in _scan(texts))
    masked = list(rows)
    for index in touched:
        masked[index] = _masked_words(rows[index], find_personal_data(texts[index]))
    return masked, len(touched)


def _masked_words(words: list[str], findings: list[Finding]) -> list[str]:
    """Mask each word that holds personal data, and each of several words that are one number together."""
    masked, start = [], 0
    for word in words:
        end = start + len(word)
        kinds = [finding.kind for finding in findings if finding.start < end and start < finding.end]
        changed = mask(word) if kinds else word
        masked.append(MASKS[kinds[0]] if kinds and changed == word else changed)
        start = end + 1
    return masked


def _scan(texts: Sequence[str]) -> Iterator[tuple[int, Finding]]:
    """Yield (index of the text, finding) in order; the places are those in the joined block, not in the text."""
    for first in range(0, len(texts), TEXTS_PER_SCAN):
        block = texts[first : first + TEXTS_PER_SCAN]
        ends = list(accumulate(len(text) + 1 for text in block))
        for finding in find_personal_data(_BETWEEN_TEXTS.join(block)):
            yield first + bisect_right(ends, finding.start), finding


def _all_findings(text: str) -> Iterator[Finding]:
    for chunk in LONG_NUMBER.finditer(text):
        yield from _numbers(text, chunk.start(), chunk.end())
    yield from _lettered_cnpjs(text)
    for domain in AT_DOMAIN.finditer(text):
        mailbox = MAILBOX.search(text, max(0, domain.start() - 64), domain.start())
        if mailbox:
            yield Finding(Kind.EMAIL, mailbox.start(), domain.end())
    for word in OAB_WORD.finditer(text):
        yield from _lawyers(text, word)


def _numbers(text: str, start: int, end: int) -> Iterator[Finding]:
    """Look at the surroundings of a long number: those with check digits first, the rest may be telephones."""
    place = start
    for match in NUMBER.finditer(text, start, end + 2):
        kind = Kind(match.lastgroup or "")
        digits = re.sub("[^0-9]", "", match[0])
        if digits == match[0] and kind is Kind.CPF and _follows_telephone_word(text, match):
            continue  # one mobile number of a hundred would pass for a CPF
        if _IS_REAL[kind](digits.zfill(20) if kind is Kind.PROCESS else digits):
            yield from _telephones(text, place, match.start())
            yield Finding(kind, match.start(), match.end())
            place = match.end()
    yield from _telephones(text, place, end + 2)


def _telephones(text: str, start: int, end: int) -> Iterator[Finding]:
    for match in TELEPHONE.finditer(text, max(0, start - 5), end):
        if _is_telephone(text, match):
            yield Finding(Kind.TELEPHONE, match.start(), match.end())


def _is_telephone(text: str, match: re.Match[str]) -> bool:
    """Take eight or nine digits for a telephone only when something beside them says so."""
    if match["free"]:
        return True
    if len(set(re.sub("[^0-9]", "", match["subscriber"])[-8:])) == 1:  # 99999-9999 is nobody's
        return False
    is_parted = match["dash"] or (match["mobile"] and match["cut"])  # 11 3456-7890, 11 91234 5678
    if match["bracketed"] or (match["area"] and (match["country"] or is_parted)):
        return True
    return _follows_telephone_word(text, match)


def _follows_telephone_word(text: str, match: re.Match[str]) -> bool:
    start, end = _surroundings(text, match, before=_TELEPHONE_WORD_CHARACTERS)
    return TELEPHONE_WORD.search(text, start, end) is not None


def _surroundings(text: str, match: re.Match[str], *, before: int, after: int = 0) -> tuple[int, int]:
    """Return where the match and some characters around it begin and end, of the same text of a joined block."""
    start = max(0, match.start() - before)
    end = match.end() + after
    last = text.find(_BETWEEN_TEXTS, match.end(), end)
    return max(start, text.rfind(_BETWEEN_TEXTS, start, match.start()) + 1), last if last >= 0 else end


def _lettered_cnpjs(text: str) -> Iterator[Finding]:
    for end in CNPJ_END.finditer(text):
        root = CNPJ_ROOT.search(text, max(0, end.start() - 10), end.start())
        if root and is_cnpj(re.sub("[^0-9A-Z]", "", root[0] + end[0])):
            yield Finding(Kind.CNPJ, root.start(), end.end())
    for match in CNPJ_IN_A_ROW.finditer(text):
        if not text[match.start() - 1 : match.start()].isalnum() and not match[0].isdigit() and is_cnpj(match[0]):
            yield Finding(Kind.CNPJ, match.start(), match.end())


def _lawyers(text: str, word: re.Match[str]) -> Iterator[Finding]:
    """Read what follows the word OAB, then look for more numbers with a state near it."""
    rest = OAB_REST.match(text, word.end())
    if rest and (rest["before"] or rest["after"] or rest["named"] or not rest["number"].startswith(("19", "20"))):
        yield Finding(Kind.OAB, word.start(), rest.end())
    start, end = _surroundings(text, word, before=_OAB_BEFORE_CHARACTERS, after=_OAB_AFTER_CHARACTERS)
    for match in OAB_NEAR.finditer(text, start, end):
        if not COURT_CASE.search(text, max(0, match.start() - 20), match.start()):
            yield Finding(Kind.OAB, match.start(), match.end())
