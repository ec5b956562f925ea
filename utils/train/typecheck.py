"""The run-time check of annotations that tests switch on: `install_import_hook("solutions", CHECKER)`."""

CHECKER = "utils.train.typecheck.checked"


def checked(function):
    """Beartype that takes an int for a float, as Python's own type rules do."""
    from beartype import BeartypeConf, beartype

    return beartype(conf=BeartypeConf(is_pep484_tower=True))(function)
