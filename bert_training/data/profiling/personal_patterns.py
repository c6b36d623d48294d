"""How Brazilian personal data are written: the patterns that data.profiling.personal_data looks for.

None of them can be slow: what may repeat is bounded or made of letters that nothing after it takes.
"""

import re

_DASH = r"\-\u2010-\u2015\u2212"  # inside a set of letters
_BEFORE = r"(?<![0-9A-Za-z])(?<![0-9][.,/-])"
_AFTER = r"(?![0-9A-Za-z])(?![./-][0-9])"

# The pass over everything: it begins with a set of letters, for which the regular expressions have a fast path.
LONG_NUMBER = re.compile(rf"[0-9](?:[ ()./{_DASH}]{{0,3}}[0-9]){{7,}}")
NUMBER = re.compile(
    rf"""(?:{_BEFORE}|(?<=CPF)|(?<=CNPJ))(?:
    (?P<process>[0-9]{{1,7}}[{_DASH}][0-9]{{2}}\.[0-9]{{4}}\.[0-9]\.?[0-9]{{2}}\.[0-9]{{4}}|[0-9]{{20}})
    |(?P<cnpj>[0-9]{{2}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[ ]?/?[ ]?[0-9]{{4}}[ ]?[{_DASH}]?[ ]?[0-9]{{2}})
    |(?P<cpf>[0-9]{{3}}[. ]?[0-9]{{3}}[. ]?[0-9]{{3}}[ ]?[./{_DASH}]?[ ]?[0-9]{{2}})
    ){_AFTER}""",
    re.VERBOSE,
)

_AREA = "(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])"  # those that exist
TELEPHONE = re.compile(
    rf"""(?<![0-9A-Za-z])(?<![0-9][.,-])(?:
    (?P<free>0[358]00[ .{_DASH}]?[0-9]{{3}}[ .{_DASH}]?[0-9]{{3,4}})
    |(?:(?P<country>(?:\+|00)[ ]?55[ .{_DASH}]{{0,2}})?
    (?:(?P<bracketed>\((?:0[0-9]{{0,2}}[ ]?)?{_AREA}\))|(?P<area>0?{_AREA}))[ .{_DASH}]{{0,2}})?
    (?P<subscriber>(?:(?P<mobile>9[ .]?[0-9]{{4}})|[2-8][0-9]{{3}})(?:(?P<cut>[ .])|(?P<dash>[{_DASH}]))?[0-9]{{4}})
    ){_AFTER}""",
    re.VERBOSE,
)
TELEPHONE_WORD = re.compile(r"\b(?:tel|fone|telefones?|celular|cel|whats ?app|whats|zap|fax)\b", re.IGNORECASE)

# A CNPJ with letters is found by its end, or as 14 characters in a row.
CNPJ_END = re.compile(rf"/[0-9A-Z]{{4}}[{_DASH}][0-9]{{2}}{_AFTER}")
CNPJ_ROOT = re.compile(rf"{_BEFORE}[0-9A-Z]{{2}}\.?[0-9A-Z]{{3}}\.?[0-9A-Z]{{3}}\Z")
CNPJ_IN_A_ROW = re.compile(r"[0-9A-Z][0-9A-Z]{11}[0-9]{2}(?![0-9A-Za-z])")

AT_DOMAIN = re.compile(r"@(?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24}(?![A-Za-z0-9])")
MAILBOX = re.compile(r"[\w%+-](?:[\w.%+-]{0,62}[\w%+-])?\Z")

_STATE = "(?:A[CLPM]|BA|CE|DF|ES|GO|M[ATSG]|P[ABREI]|R[JNSOR]|S[CPE]|TO)"
_OAB_NUMBER = rf"(?:[0-9]{{1,3}}[.-][0-9]{{3}}|[0-9]{{3,6}})(?:[{_DASH}]?[ABENPS])?(?![0-9A-Za-z])"
OAB_WORD = re.compile(r"[Oo][Aa][Bb](?![A-Za-z])")
OAB_REST = re.compile(
    rf"""[ /.:({_DASH}]{{0,3}}(?P<before>{_STATE}\b)?[ ,.:/){_DASH}]{{0,3}}
    (?P<named>(?:sob[ ])?(?:o[ ])?[Nn](?:[\xba\xb0\xaao.r]{{1,2}}|\xfamero)[ ]?)?[ :]{{0,2}}
    (?P<number>{_OAB_NUMBER})(?P<after>[ ]?[/{_DASH}][ ]?{_STATE}\b)?(?![./][0-9])""",
    re.VERBOSE,
)
OAB_NEAR = re.compile(rf"{_BEFORE}{_OAB_NUMBER}[ ]?/[ ]?{_STATE}\b")
# "HC 123.456/SP" is a case of a high court, not a lawyer.
COURT_CASE = re.compile(
    r"\b(?:[AER]*R?[EH]Sp|R?HC|A?RE|R?MS|AI|CC|Rcl|Pet|ED?cl|Ag\w*)\.?,?(?: n\S{0,2})? ?\Z", re.IGNORECASE
)
