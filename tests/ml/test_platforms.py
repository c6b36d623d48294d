"""The library imports where Unix modules do not exist, and never pulls in Django."""

import subprocess
import sys

# Hidden from this project's code only: packages such as psutil choose what they import by sys.platform.
SCRIPT = """
import builtins, sys
real_import = builtins.__import__

def import_as_on_windows(name, globals=None, *rest, **more):
    if name in ("fcntl", "resource", "pwd") and (globals or {}).get("__name__", "").startswith("bert_training"):
        raise ModuleNotFoundError(name)
    return real_import(name, globals, *rest, **more)

builtins.__import__ = import_as_on_windows
sys.modules["django"] = None
import bert_training.ml.training
import bert_training.tasks.text_classification.network
import bert_training.tasks.token_classification.network
print("imported")
"""


def test_the_library_imports_without_unix_modules_and_without_django() -> None:
    answer = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (answer.stdout.strip(), answer.stderr) == ("imported", "")
