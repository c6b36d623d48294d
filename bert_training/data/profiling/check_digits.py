"""The check digits of Brazilian numbers: they tell a real CPF, CNPJ or process number from any other row of digits."""

_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)


def is_cpf(digits: str) -> bool:
    """Judge 11 digits. 111.111.111-11 and its like fit the sum, but are nobody's."""
    values = [int(digit) for digit in digits]
    return len(set(values)) > 1 and all(
        sum((place + 1 - at) * values[at] for at in range(place)) * 10 % 11 % 10 == values[place] for place in (9, 10)
    )


def is_cnpj(characters: str) -> bool:
    """Judge 12 digits or capitals (letters are given since July 2026) and 2 digits; a letter counts ASCII - 48."""
    values = [ord(character) - 48 for character in characters]
    return len(set(values)) > 1 and all(_cnpj_digit(values[:place]) == values[place] for place in (12, 13))


def _cnpj_digit(values: list[int]) -> int:
    weights = _CNPJ_WEIGHTS[len(_CNPJ_WEIGHTS) - len(values) :]
    remainder = sum(weight * value for weight, value in zip(weights, values, strict=True)) % 11
    return 0 if remainder < 2 else 11 - remainder


def is_process_number(digits: str) -> bool:
    """Judge the 20 digits of a CNJ number NNNNNNN-DD.AAAA.J.TR.OOOO: ISO 7064, mod 97, of a possible year."""
    number, check, rest = digits[:7], digits[7:9], digits[9:]
    return "1900" <= rest[:4] <= "2099" and rest[4] != "0" and int(number + rest + check) % 97 == 1
