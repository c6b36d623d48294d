"""Makes Brazilian numbers as people write them, and near misses: numbers that only look like one."""

import random
from collections.abc import Callable

from bert_training.data.profiling.personal_data import Kind

STATES = ("SP", "RJ", "MG", "BA", "DF")
LETTERS_AND_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cpf(chance: random.Random) -> str:
    """Write a CPF; its check digits are computed here by the rule of the Receita Federal."""
    digits = [chance.randrange(10) for _ in range(8)] + [chance.choice((1, 5))]
    if len(set(digits)) == 1:
        digits[0] = 7
    for _ in range(2):
        total = sum(weight * digit for weight, digit in zip(range(len(digits) + 1, 1, -1), digits, strict=True))
        digits.append(0 if total % 11 < 2 else 11 - total % 11)
    plain = "".join(map(str, digits))
    dotted = f"{plain[:3]}.{plain[3:6]}.{plain[6:9]}"
    return chance.choice((plain, f"{dotted}-{plain[9:]}", f"{dotted}/{plain[9:]}", f"{plain[:9]}-{plain[9:]}"))


def cnpj(chance: random.Random, alphabet: str = "0123456789") -> str:
    """Write a CNPJ of digits, or of digits and capitals."""
    root = [*chance.choices(alphabet, k=8), "0", "0", "0", "1"]
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        total = sum(weight * (ord(sign) - 48) for weight, sign in zip(weights, root, strict=True))
        root.append(str(0 if total % 11 < 2 else 11 - total % 11))
    plain = "".join(root)
    return chance.choice((plain, f"{plain[:2]}.{plain[2:5]}.{plain[5:8]}/{plain[8:12]}-{plain[12:]}"))


def process_number(chance: random.Random) -> str:
    """Write a CNJ process number; 98 - (N A J TR O 00 mod 97)."""
    number, year, rest = f"{chance.randrange(10**7):07}", str(chance.randrange(1990, 2027)), "8260100"
    check = f"{98 - int(number + year + rest + '00') % 97:02}"
    plain = number + check + year + rest
    return chance.choice((plain, f"{number}-{check}.{year}.8.26.0100"))


def oab(chance: random.Random) -> str:
    """Write the number of a lawyer."""
    number, state = chance.randrange(1000, 499_999), chance.choice(STATES)
    dotted = f"{number:,}".replace(",", ".")
    forms = (
        "OAB/{s} {d}",
        "OAB-{s} n\xba {n}",
        "OAB n\xba {d}/{s}",
        "OAB: {n}-A/{s}",
        "OAB/{s} sob o n\xba {n}",
        "OAB {n}/{s}",
    )
    return chance.choice(forms).format(s=state, n=number, d=dotted)


def email(chance: random.Random) -> str:
    """Write an address."""
    return (
        f"{chance.choice(('ana.lima', 'b_s+x', 'joao99'))}@{chance.choice(('exemplo.com.br', 'a-b.org', 'tj.jus.br'))}"
    )


def telephone(chance: random.Random) -> str:
    """Write a telephone number."""
    mobile, fixed = f"9{chance.randrange(1000, 9999)}-{chance.randrange(1, 9999):04}", "3456-7890"
    forms = ("(11) {m}", "+55 21 {m}", "(81){f}", "51 {f}", "0800 123 4567", "tel. {m}", "celular: 11{b}", "+5511{b}")
    return chance.choice(forms).format(m=mobile, f=fixed, b=mobile.replace("-", ""))


MAKERS: dict[Kind, Callable[[random.Random], str]] = {
    Kind.CPF: cpf,
    Kind.CNPJ: lambda chance: cnpj(chance, chance.choice(("0123456789", LETTERS_AND_DIGITS))),
    Kind.PROCESS: process_number,
    Kind.OAB: oab,
    Kind.EMAIL: email,
    Kind.TELEPHONE: telephone,
}


def with_wrong_digit(number: str, chance: random.Random) -> str:
    """Change the last digit, so that the number fails its check."""
    return number[:-1] + str((int(number[-1]) + chance.randrange(1, 9)) % 10)


def near_miss(chance: random.Random) -> str:
    """Write what looks like personal data and is none."""
    year = chance.randrange(1990, 2026)
    same = str(chance.randrange(10))
    return chance.choice(
        (
            with_wrong_digit(cpf(chance), chance),
            with_wrong_digit(cnpj(chance), chance),
            with_wrong_digit(process_number(chance), chance),
            f"{same * 3}.{same * 3}.{same * 3}-{same * 2}",
            f"CEP {chance.randrange(10_000, 99_999)}-{chance.randrange(100, 999)}",
            f"R$ {chance.randrange(1, 99)}.{chance.randrange(100, 999)}.{chance.randrange(100, 999)},00",
            f"Lei n\xba 8.{chance.randrange(100, 999)}/{year % 100:02}",
            f"REsp 1.{chance.randrange(100, 999)}.{chance.randrange(100, 999)}/SP",
            f"Exame da OAB {year}",
            f"de {year} a {year + 1}, fls. {chance.randrange(100, 999)}/{chance.randrange(100, 999)}",
            f"protocolo {chance.randrange(10**7, 10**8)}",
            "@fulano e x@y",
            "12/03/2019 14:30:15",
        )
    )
