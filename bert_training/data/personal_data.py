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

from bert_training.data.check_digits import is_cnpj, is_cpf, is_process_number

TEXTS_PER_SCAN = 5_000
FIRST_INDEXES = 10

_BETWEEN_TEXTS = "\x00"  # no cleaned text holds one, and no pattern matches it
_TELEPHONE_WORD_CHARACTERS = 20


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


_DASH = r"\-\u2010-\u2015\u2212"  # inside a set of letters
_BEFORE = r"(?<![0-9A-Za-z])(?<![0-9][.,/-])"
_AFTER = r"(?![0-9A-Za-z])(?![./-][0-9])"

# The pass over everything: it begins with a set of letters, for which the regular expressions have a fast path.
_LONG_NUMBER = re.compile(rf"[0-9](?:[ ()./{_DASH}]{{0,3}}[0-9]){{7,}}")
_NUMBER = re.compile(
    rf"""{_BEFORE}(?:
    (?P<process>[0-9]{{1,7}}[{_DASH}][0-9]{{2}}\.[0-9]{{4}}\.[0-9]\.?[0-9]{{2}}\.[0-9]{{4}}|[0-9]{{20}})
    |(?P<cnpj>[0-9]{{2}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[ ]?/?[ ]?[0-9]{{4}}[ ]?[{_DASH}]?[ ]?[0-9]{{2}})
    |(?P<cpf>[0-9]{{3}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[ ]?[./{_DASH}]?[ ]?[0-9]{{2}})
    ){_AFTER}""",
    re.VERBOSE,
)
_IS_REAL = {Kind.PROCESS: is_process_number, Kind.CNPJ: is_cnpj, Kind.CPF: is_cpf}

_AREA = "(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])"  # those that exist
_TELEPHONE = re.compile(
    rf"""(?<![0-9A-Za-z])(?<![0-9][.,-])(?:
    (?P<free>0[358]00[ .{_DASH}]?[0-9]{{3}}[ .{_DASH}]?[0-9]{{3,4}})
    |(?:(?P<country>(?:\+|00)[ ]?55[ .{_DASH}]{{0,2}})?
    (?:(?P<bracketed>\((?:0[0-9]{{0,2}}[ ]?)?{_AREA}\))|(?P<area>0?{_AREA}))[ .{_DASH}]{{0,2}})?
    (?P<subscriber>(?:9[ .]?[0-9]{{4}}|[2-8][0-9]{{3}})(?:[ .]|(?P<dash>[{_DASH}]))?[0-9]{{4}})
    ){_AFTER}""",
    re.VERBOSE,
)
_TELEPHONE_WORD = re.compile(r"\b(?:tel|fone|telefones?|celular|cel|whats ?app|whats|zap|fax)\b", re.IGNORECASE)

# A CNPJ with letters is found by its end, or as 14 characters in a row.
_CNPJ_END = re.compile(rf"/[0-9A-Z]{{4}}[{_DASH}][0-9]{{2}}{_AFTER}")
_CNPJ_ROOT = re.compile(rf"{_BEFORE}[0-9A-Z]{{2}}\.?[0-9A-Z]{{3}}\.?[0-9A-Z]{{3}}\Z")
_CNPJ_IN_A_ROW = re.compile(r"[0-9A-Z][0-9A-Z]{11}[0-9]{2}(?![0-9A-Za-z])")

_AT_DOMAIN = re.compile(r"@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9])")
_MAILBOX = re.compile(r"[\w%+-](?:[\w.%+-]{0,62}[\w%+-])?\Z")

_STATE = "(?:A[CLPM]|BA|CE|DF|ES|GO|M[ATSG]|P[ABREI]|R[JNSOR]|S[CPE]|TO)"
_OAB_NUMBER = rf"(?:[0-9]{{1,3}}[.-][0-9]{{3}}|[0-9]{{3,6}})(?:[{_DASH}]?[ABENPS])?(?![0-9A-Za-z])"
_OAB_WORD = re.compile(r"[Oo][Aa][Bb](?![A-Za-z])")
_OAB_REST = re.compile(
    rf"""[ /.:({_DASH}]{{0,3}}(?P<before>{_STATE}\b)?[ ,.:/){_DASH}]{{0,3}}
    (?P<named>(?:sob[ ])?(?:o[ ])?[Nn](?:[\xba\xb0\xaao.r]{{1,2}}|\xfamero)[ ]?)?[ :]{{0,2}}
    (?P<number>{_OAB_NUMBER})(?P<after>[ ]?[/{_DASH}][ ]?{_STATE}\b)?(?![./][0-9])""",
    re.VERBOSE,
)
_OAB_NEAR = re.compile(rf"{_BEFORE}{_OAB_NUMBER}[ ]?/[ ]?{_STATE}\b")
_OAB_NEAR_CHARACTERS = (40, 60)  # before and after the word
# "HC 123.456/SP" is a case of a high court, not a lawyer.
_COURT_CASE = re.compile(
    r"\b(?:[AER]*R?[EH]Sp|R?HC|A?RE|R?MS|AI|CC|Rcl|Pet|ED?cl|Ag\w*)\.?,?(?: n\S{0,2})? ?\Z", re.IGNORECASE
)


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


def _scan(texts: Sequence[str]) -> Iterator[tuple[int, Finding]]:
    """Yield (index of the text, finding) in order; the places are those in the joined block, not in the text."""
    for first in range(0, len(texts), TEXTS_PER_SCAN):
        block = texts[first : first + TEXTS_PER_SCAN]
        ends = list(accumulate(len(text) + 1 for text in block))
        for finding in find_personal_data(_BETWEEN_TEXTS.join(block)):
            yield first + bisect_right(ends, finding.start), finding


def _all_findings(text: str) -> Iterator[Finding]:
    for chunk in _LONG_NUMBER.finditer(text):
        yield from _numbers(text, chunk.start(), chunk.end())
    yield from _lettered_cnpjs(text)
    for domain in _AT_DOMAIN.finditer(text):
        mailbox = _MAILBOX.search(text, max(0, domain.start() - 64), domain.start())
        if mailbox:
            yield Finding(Kind.EMAIL, mailbox.start(), domain.end())
    for word in _OAB_WORD.finditer(text):
        yield from _lawyers(text, word)


def _numbers(text: str, start: int, end: int) -> Iterator[Finding]:
    """Look at the surroundings of a long number: those with check digits first, the rest may be telephones."""
    place = start
    for match in _NUMBER.finditer(text, start, end + 2):
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
    for match in _TELEPHONE.finditer(text, max(0, start - 5), end):
        if _is_telephone(text, match):
            yield Finding(Kind.TELEPHONE, match.start(), match.end())


def _is_telephone(text: str, match: re.Match[str]) -> bool:
    """Take eight or nine digits for a telephone only when something beside them says so."""
    if match["free"]:
        return True
    if len(set(re.sub("[^0-9]", "", match["subscriber"])[-8:])) == 1:  # 99999-9999 is nobody's
        return False
    if match["bracketed"] or (match["area"] and (match["country"] or match["dash"])):
        return True
    return _follows_telephone_word(text, match)


def _follows_telephone_word(text: str, match: re.Match[str]) -> bool:
    start = max(0, match.start() - _TELEPHONE_WORD_CHARACTERS)
    return _TELEPHONE_WORD.search(text, start, match.start()) is not None


def _lettered_cnpjs(text: str) -> Iterator[Finding]:
    for end in _CNPJ_END.finditer(text):
        root = _CNPJ_ROOT.search(text, max(0, end.start() - 10), end.start())
        if root and is_cnpj(re.sub("[^0-9A-Z]", "", root[0] + end[0])):
            yield Finding(Kind.CNPJ, root.start(), end.end())
    for match in _CNPJ_IN_A_ROW.finditer(text):
        if not text[match.start() - 1 : match.start()].isalnum() and not match[0].isdigit() and is_cnpj(match[0]):
            yield Finding(Kind.CNPJ, match.start(), match.end())


def _lawyers(text: str, word: re.Match[str]) -> Iterator[Finding]:
    """Read what follows the word OAB, then look for more numbers with a state near it."""
    rest = _OAB_REST.match(text, word.end())
    if rest and (rest["before"] or rest["after"] or rest["named"] or not rest["number"].startswith(("19", "20"))):
        yield Finding(Kind.OAB, word.start(), rest.end())
    before, after = _OAB_NEAR_CHARACTERS
    for match in _OAB_NEAR.finditer(text, max(0, word.start() - before), word.end() + after):
        if not _COURT_CASE.search(text, max(0, match.start() - 20), match.start()):
            yield Finding(Kind.OAB, match.start(), match.end())
