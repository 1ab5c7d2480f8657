"""The exceptions against the statuses of the header; no library needed."""

from __future__ import annotations

import pickle
import re
import unittest

from support import HEADER, header_statuses, needs_library, run_python
import papertrade
from papertrade import errors
from papertrade._failures import BY_STATUS, class_for, failure
from papertrade._structs import pt_error

RANGES = {
    1: errors.Refused, 2: errors.InvalidArgument, 3: errors.EnvironmentProblem, 4: errors.DataError, 5: errors.Uncertain,
}


def class_name(status: str) -> str:
    return "".join(word.capitalize() for word in status.split("_")[1:])


class ErrorsTest(unittest.TestCase):
    def test_every_status_of_the_header_has_the_exception_of_its_name(self) -> None:
        for name, number in header_statuses().items():
            if name == "PT_OK":
                continue
            with self.subTest(status=name):
                kind = getattr(errors, class_name(name))
                self.assertEqual(kind.status, number)
                self.assertIs(BY_STATUS[number], kind)
                self.assertTrue(issubclass(kind, RANGES[number // 100]))
                self.assertTrue(kind.__doc__)

    def test_every_exception_has_a_status_of_the_header_or_is_a_range(self) -> None:
        names = {class_name(name) for name in header_statuses()}
        for name, kind in vars(errors).items():
            if isinstance(kind, type) and issubclass(kind, errors.PaperTradeError):
                self.assertTrue(name in names or kind in RANGES.values() or kind is errors.PaperTradeError, name)

    def test_every_exception_is_exported(self) -> None:
        for name, kind in vars(errors).items():
            if isinstance(kind, type) and issubclass(kind, errors.PaperTradeError):
                self.assertIn(name, papertrade.__all__)
                self.assertIs(getattr(papertrade, name), kind)
        self.assertEqual(len(papertrade.__all__), len(set(papertrade.__all__)))
        for name in papertrade.__all__:
            self.assertTrue(hasattr(papertrade, name), name)

    def test_a_status_that_is_newer_than_the_package_is_of_its_range(self) -> None:
        for status, expected in (
            (199, errors.Refused), (299, errors.InvalidArgument), (399, errors.EnvironmentProblem), (499, errors.DataError),
            (599, errors.Uncertain), (700, errors.PaperTradeError), (-1, errors.PaperTradeError),
        ):
            self.assertIs(class_for(status), expected)

    def test_exceptions_are_also_what_python_programs_catch_already(self) -> None:
        for kind, builtin in (
            (errors.InvalidPrice, ValueError), (errors.Closed, ValueError), (errors.Busy, TimeoutError),
            (errors.NoAccount, FileNotFoundError), (errors.Exists, FileExistsError), (errors.Permission, PermissionError),
            (errors.NoMemory, MemoryError),
            (papertrade.LibraryNotFound, ImportError),
        ):
            self.assertTrue(issubclass(kind, builtin))

    def test_an_exception_carries_what_the_c_error_carries(self) -> None:
        error = pt_error(status=105, errno_value=5, seq=42, offset=9312, message="seq is 42 — not 41".encode())
        exception = failure(105, error)
        self.assertIs(type(exception), errors.SeqMismatch)
        self.assertEqual(
            (exception.status, exception.message, exception.errno, exception.seq, exception.offset, str(exception)),
            (105, "seq is 42 — not 41", 5, 42, 9312, "seq is 42 — not 41"),
        )

    def test_what_an_error_does_not_have_is_none(self) -> None:
        exception = failure(301, pt_error(status=301, offset=-1, message=b"busy"))
        self.assertEqual((exception.errno, exception.seq, exception.offset), (None, None, None))

    def test_every_exception_survives_pickling(self) -> None:
        for kind in {*BY_STATUS.values(), errors.Refused, errors.PaperTradeError}:
            with self.subTest(kind=kind):
                original = kind(kind.status, "one line", errno=13, seq=7, offset=0)
                copy = pickle.loads(pickle.dumps(original))
                self.assertIs(type(copy), kind)
                self.assertEqual(copy.args, original.args)
                self.assertEqual(
                    (copy.status, str(copy), copy.errno, copy.seq, copy.offset), (kind.status, "one line", 13, 7, 0)
                )

    def test_the_ranges_are_those_that_the_header_names(self) -> None:
        text = HEADER.read_text(encoding="utf-8")
        self.assertEqual(re.findall(r"/\* (\d)00-\d99:", text), [str(number) for number in RANGES])


class LibraryTest(unittest.TestCase):
    def test_the_package_can_be_imported_without_the_library(self) -> None:
        done = run_python("-c", "import papertrade; print(papertrade.__version__)", PAPERTRADE_LIBRARY="/nowhere/libpapertrade.so")
        self.assertEqual((done.stdout.strip(), done.stderr), (papertrade.__version__, ""))

    def test_a_missing_library_is_an_import_error_that_says_where_to_put_it(self) -> None:
        program = "import papertrade\ntry: papertrade.Account('x')\nexcept ImportError as error: print(type(error).__name__, error)"
        done = run_python("-c", program, PAPERTRADE_LIBRARY="/nowhere/libpapertrade.so")
        self.assertRegex(done.stdout, r"^LibraryNotFound .*PAPERTRADE_LIBRARY.*/nowhere/libpapertrade\.so")

    @needs_library
    def test_the_name_of_every_status_is_that_of_the_header(self) -> None:
        for name, number in header_statuses().items():
            self.assertEqual(papertrade.status_name(number), name)
        self.assertEqual(papertrade.status_name(199), "PT_UNKNOWN")

    @needs_library
    def test_the_library_has_the_version_of_the_header(self) -> None:
        self.assertEqual(papertrade.library_version(), papertrade.__version__)


if __name__ == "__main__":
    unittest.main()
